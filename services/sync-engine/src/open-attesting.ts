import { join } from 'node:path';
import { keyFromSecret, type TickSigner } from '@zeq/crypto';
import type { Logger } from '@zeq/service-kit';
import type { Config } from './config.ts';
import { openDatabase } from './db/database.ts';
import { openSigningKey } from './signing-key.ts';
import type { ChainStore } from './store/chain-store.ts';
import { openFileChainStore } from './store/file-chain-store.ts';
import { openPostgresChainStore } from './store/postgres-chain-store.ts';

export interface Attesting {
  signer: TickSigner;
  store: ChainStore;
}

/** Opens keys and chain where ZEQ_SYNC_SECRET is set: PostgreSQL with DATABASE_URL, files in the data folder otherwise. */
export async function openAttesting(config: Config, log: Logger): Promise<Attesting | undefined> {
  const { ZEQ_SYNC_SECRET: secret, ZEQ_SYNC_UID: uid } = config;
  if (secret === undefined) return undefined;
  const folder = join(config.ZEQ_DATA_DIR, 'sync');
  const { privateKey, publicKey } = await openSigningKey(folder, config.ZEQ_SYNC_SIGNING_KEY);
  const signer = {
    uid,
    platKey: keyFromSecret(secret, 'zeq/sync/plat/v1'),
    signingKey: privateKey,
    publicKey,
  };
  const store =
    config.DATABASE_URL === undefined
      ? await openFileChainStore({ folder, uid, publicKey })
      : await openPostgresChainStore(openDatabase(config.DATABASE_URL, log), uid, publicKey);
  return { signer, store };
}
