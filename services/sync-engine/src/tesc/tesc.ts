import type { Logger, TimeSource } from '@zeq/service-kit';
import { safeError } from '@zeq/service-kit';
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

/** @throws FieldError when a secret opens under neither ZEQ_SYNC_SECRET nor its predecessor. */
async function resealAll(store: TescStore, secrets: ChannelSecrets, log: Logger): Promise<void> {
  const old = await store.sealedUnderOther(secrets.kid);
  for (const { id, version } of old) {
    const channel = await store.find(id);
    const key = channel?.keys.find((one) => one.version === version);
    if (channel && key) await store.reseal(id, version, secrets.reseal(channel, key));
  }
  if (old.length > 0)
    log.info({ count: old.length }, 'channel secrets are sealed under the present ZEQ_SYNC_SECRET');
}
