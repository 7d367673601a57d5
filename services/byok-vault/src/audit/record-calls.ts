import type { RecordedCall } from '@zeq/contracts';
import { type AuditPageLeaf, canonicalJson, MerkleTree, merkleLeaf } from '@zeq/crypto';
import type { NumberedPage } from '../store/activity-store.ts';
import type { Stores } from '../store/store.ts';

/**
 * Keeps calls and records them in the audit log, in the running transaction. Calls of an API that was removed meanwhile are recorded
 * like all others; those of a machine that is gone are nobody's.
 */
export async function recordCalls(
  { activity, audit }: Pick<Stores, 'activity' | 'audit'>,
  calls: readonly RecordedCall[],
): Promise<void> {
  const machines = await audit.machinesOf([...new Set(calls.map((call) => call.api_id))]);
  const pages = await activity.number(calls.filter((call) => machines.has(call.api_id)));
  const owned = pages.map((page) => ({ ...page, machineId: machines.get(page.apiId)! }));
  await activity.insert(
    owned.map((page) => ({
      ...page,
      leafHash: merkleLeaf(canonicalJson(pageLeaf(page, treeOf(page.calls).root))),
    })),
  );
}

/** @param calls Canonical JSON of each; at least one. */
export const treeOf = (calls: readonly string[]): MerkleTree => new MerkleTree(calls.map(merkleLeaf));

/** What the log says of a page. */
export const pageLeaf = (
  {
    machineId,
    apiId,
    first,
    calls,
  }: Pick<NumberedPage, 'apiId' | 'first'> & {
    machineId: string;
    calls: readonly unknown[];
  },
  root: Buffer,
): AuditPageLeaf => ({
  v: 1,
  kind: 'calls',
  machine_id: machineId,
  api_id: apiId,
  first,
  calls: calls.length,
  root: root.toString('hex'),
});
