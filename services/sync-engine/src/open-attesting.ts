import { join } from 'node:path';
import { keyFromSecret, type TickSigner } from '@zeq/crypto';
import type { Logger, TimeSource } from '@zeq/service-kit';
import type { Config } from './config.ts';
import { openDatabase } from './db/database.ts';
import { openSigningKey } from './signing-key.ts';
import type { ChainStore } from './store/chain-store.ts';
import { openFileChainStore } from './store/file-chain-store.ts';
import { openPostgresChainStore } from './store/postgres-chain-store.ts';
import { ChannelSecrets } from './tesc/channel-secrets.ts';
import { EmbeddedTescStore } from './tesc/embedded-tesc-store.ts';
import { PostgresTescStore } from './tesc/postgres-tesc-store.ts';
import { startTesc, type Tesc } from './tesc/tesc.ts';
import type { TescStore } from './tesc/tesc-store.ts';

/** What ZEQ_SYNC_SECRET switches on. */
export interface Attesting {
  signer: TickSigner;
  store: ChainStore;
  tesc: Tesc;
  close: () => Promise<void>;
}

/** Opens keys, chain and channels where ZEQ_SYNC_SECRET is set: in PostgreSQL with DATABASE_URL, in the data folder otherwise. */
export async function openAttesting(
  config: Config,
  time: TimeSource,
  log: Logger,
): Promise<Attesting | undefined> {
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
  const { chain, channels } = await openStores(config, folder, publicKey, log);
  const secrets = new ChannelSecrets(secret, config.ZEQ_SYNC_SECRET_PREV);
  const tesc = await startTesc({ time, store: channels, secrets, log });
  const close = async () => {
    await tesc.stop();
    await chain.close();
  };
  return { signer, store: chain, tesc, close };
}

async function openStores(
  { DATABASE_URL, ZEQ_SYNC_UID: uid }: Config,
  folder: string,
  publicKey: Buffer,
  log: Logger,
): Promise<{ chain: ChainStore; channels: TescStore }> {
  if (DATABASE_URL !== undefined) {
    const chain = await openPostgresChainStore(openDatabase(DATABASE_URL, log), uid, publicKey);
    // connections of their own: readers of channels must not keep a tick waiting for one
    return { chain, channels: new PostgresTescStore(openDatabase(DATABASE_URL, log)) };
  }
  const chain = await openFileChainStore({ folder, uid, publicKey });
  return { chain, channels: await EmbeddedTescStore.open(join(folder, 'channels.jsonl')) };
}
