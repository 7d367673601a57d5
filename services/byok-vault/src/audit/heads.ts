import { type AuditGrowth, type AuditHead, STALE_AFTER_MS } from '@zeq/contracts';
import { consistencyRanges } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { AuditStore, ClosedHead } from '../store/audit-store.ts';
import { hashesOf } from './stored-tree.ts';

export const viewHead = ({
  size,
  root,
  zeqond,
}: Pick<ClosedHead, 'size' | 'root'> & { zeqond: number | null }): AuditHead => ({
  size,
  root: root.toString('hex'),
  zeqond,
});

/**
 * The head that answers are proven against: the one that the clock took last, because ticks bind it. Where no clock has asked for a
 * while it is the newest there is, which nobody outside vouches for.
 */
export async function headToShow(audit: AuditStore, now: Date): Promise<AuditHead> {
  const { size, root, closed } = await audit.heads();
  const isTaken = closed !== undefined && now.getTime() - closed.at.getTime() < STALE_AFTER_MS;
  return isTaken ? viewHead(closed) : viewHead({ size, root, zeqond: null });
}

/** Where the log stands, and that it only grew since an earlier size. @throws ProblemError `invalid_query` for a size it never had. */
export async function showGrowth(
  audit: AuditStore,
  since: number | undefined,
  now: Date,
): Promise<AuditGrowth> {
  const head = await headToShow(audit, now);
  if (since === undefined) return { head, path: null };
  if (since > head.size)
    throw new ProblemError('invalid_query', `since: the log has ${head.size} leaves, not yet that many.`);
  return { head, path: await hashesOf(audit, consistencyRanges(since, head.size)) };
}
