import { FieldError } from '@zeq/crypto';
import { type Logger, safeError, type TimeSource } from '@zeq/service-kit';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { TescDeps } from './channels.ts';
import { TescLimits } from './limits.ts';
import type { TescStore } from './tesc-store.ts';
import { Waiting } from './waiting.ts';

/** Expired messages and retired secrets are deleted this often. */
const PRUNE_MS = 30_000;

/** Everything the channels need while they run. */
export interface Tesc extends TescDeps {
  waiting: Waiting;
  limits: TescLimits;
  stop: () => Promise<void>;
}

export interface TescOptions {
  time: TimeSource;
  store: TescStore;
  secrets: ChannelSecrets;
  log: Logger;
}

/** Starts the channels: secrets under a previous sealing key are sealed anew, and what expires is deleted from now on. */
export async function startTesc({ time, store, secrets, log }: TescOptions): Promise<Tesc> {
  await resealAll(store, secrets, log);
  const waiting = new Waiting();
  store.onMessage((id) => waiting.wake(id));
  const timer = setInterval(() => {
    store
      .prune(time.wallMs())
      .catch((err: unknown) => log.warn({ err: safeError(err) }, 'channels cannot be pruned'));
  }, PRUNE_MS).unref();
  return {
    time,
    store,
    secrets,
    waiting,
    limits: new TescLimits(time),
    async stop() {
      clearInterval(timer);
      await store.close();
    },
  };
}

/**
 * Moves secrets to the present sealing key. One that is damaged makes its channel useless and no other.
 *
 * @throws Error naming keys that neither ZEQ_SYNC_SECRET nor its predecessor gives, and how many secrets lie under them.
 */
async function resealAll(store: TescStore, secrets: ChannelSecrets, log: Logger): Promise<void> {
  const old = await store.sealedUnderOther(secrets.kid);
  const unknown = old.filter(({ kid }) => !secrets.knows(kid));
  if (unknown.length > 0) {
    const kids = [...new Set(unknown.map(({ kid }) => kid))].join(', ');
    throw new Error(
      `${unknown.length} channel secrets are sealed under another ZEQ_SYNC_SECRET (key ${kids}); set ZEQ_SYNC_SECRET_PREV to it`,
    );
  }
  for (const { id, version } of old) await resealOne(store, secrets, id, version, log);
  if (old.length > 0)
    log.info({ count: old.length }, 'channel secrets are sealed under the present ZEQ_SYNC_SECRET');
}

async function resealOne(
  store: TescStore,
  secrets: ChannelSecrets,
  id: string,
  version: number,
  log: Logger,
): Promise<void> {
  const channel = await store.find(id);
  const key = channel?.keys.find((one) => one.version === version);
  if (!channel || !key) return;
  try {
    await store.reseal(id, version, secrets.reseal(channel, key));
  } catch (err) {
    if (!(err instanceof FieldError)) throw err;
    log.error(
      { channel: id, version, reason: err.reason },
      'a channel secret does not open any more; rotate it',
    );
  }
}
