import { STALE_AFTER_MS } from '@zeq/contracts';
import type { Call } from '../load/call.ts';
import type { Verdict } from '../verdict.ts';

/** What a call may take from its start until the forwarder looks at the lease's age (ms). */
const ON_ITS_WAY_MS = 250;

export const isForward = (kind: string): boolean => kind === 'forward' || kind === 'stream';

/**
 * While nobody could vouch for leases, no call that began after the newest had become too old went out before somebody could.
 *
 * @param what Why nobody could.
 * @param goneAt From when on (monotonic ms), and until when.
 */
export function judgeOldLeases(
  verdict: Verdict,
  calls: readonly Call[],
  what: string,
  goneAt: number,
  backAt: number,
): void {
  const late = calls.filter(
    ({ kind, startedAt }) =>
      isForward(kind) && startedAt > goneAt + STALE_AFTER_MS + ON_ITS_WAY_MS && startedAt < backAt,
  );
  verdict.none(
    `${what}: calls that went out on a lease older than ${STALE_AFTER_MS} ms`,
    late.filter(({ outcome, endedAt }) => outcome === 'ok' && endedAt < backAt),
  );
  const refused = late.filter(({ outcome }) => outcome === 'refused').length;
  const waited = late.filter(({ outcome, endedAt }) => outcome === 'ok' && endedAt >= backAt).length;
  verdict.that(
    `${what}: calls were refused meanwhile, or waited`,
    refused + waited > 0,
    `${refused} were refused, ${waited} waited, of ${late.length}`,
  );
}
