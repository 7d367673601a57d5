import type { UsageBatch, UsageReceipt } from '@zeq/contracts';
import { recordCalls } from '../audit/record-calls.ts';
import type { Store } from '../store/store.ts';

/**
 * Counts and records what a forwarder reports: all of it, or nothing, and never twice. Of an API that has been removed meanwhile there
 * are no counts any more; its calls are recorded all the same.
 */
export async function countBatch(store: Store, batch: UsageBatch): Promise<UsageReceipt> {
  return store.atomically(async (stores) => {
    const { usage } = stores;
    if (!(await usage.takeBatch(batch.instance, batch.seq))) return { counted: false };
    const present = await usage.holdApis([...new Set(batch.minutes.map(({ api_id }) => api_id))]);
    await usage.add(batch.minutes.filter(({ api_id }) => present.has(api_id)));
    await recordCalls(stores, batch.calls);
    return { counted: true };
  });
}
