import type { UsageBatch } from '@zeq/contracts';

/** Where reports go. */
export interface UsageSink {
  /**
   * @returns `refused` for one that will never be taken.
   * @throws ProblemError when it is not known whether it was taken: send the same again.
   */
  reportUsage(batch: UsageBatch): Promise<'taken' | 'refused'>;
}

/**
 * Sends batches in their order and takes each out of the list when it is answered. One bad call must not take the sums of all others
 * along: what was refused with calls is tried without them.
 *
 * @throws ProblemError as the sink does; the list then begins with what has to be sent again.
 */
export async function reportBatches(
  sink: UsageSink,
  batches: UsageBatch[],
  onRefused: (batch: UsageBatch) => void,
): Promise<void> {
  while (batches.length > 0) {
    const batch = batches[0]!;
    const answer = await sink.reportUsage(batch);
    if (answer === 'refused') onRefused(batch);
    if (answer === 'refused' && batch.calls.length > 0 && batch.minutes.length > 0)
      batches[0] = { ...batch, calls: [] };
    else batches.shift();
  }
}
