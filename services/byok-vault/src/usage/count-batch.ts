import { ACTIVITY_KEPT, type UsageBatch, type UsageReceipt } from '@zeq/contracts';
import type { Store } from '../store/store.ts';

/**
 * Counts what a forwarder reports: all of it, or nothing, and never twice. Calls of an API that has been removed meanwhile are
 * nobody's any more.
 */
export async function countBatch(store: Store, batch: UsageBatch): Promise<UsageReceipt> {
  return store.atomically(async ({ usage, activity }) => {
    if (!(await usage.takeBatch(batch.instance, batch.seq))) return { counted: false };
    const named = [...batch.minutes, ...batch.calls].map((part) => part.api_id);
    const present = await usage.holdApis([...new Set(named)]);
    await usage.add(batch.minutes.filter(({ api_id }) => present.has(api_id)));
    await activity.append(
      batch.calls.filter(({ api_id }) => present.has(api_id)),
      ACTIVITY_KEPT,
    );
    return { counted: true };
  });
}
