import type { AuditEntry, AuditHead, AuditPage, AuditQuery } from '@zeq/contracts';
import { canonicalJson, inclusionRanges, type MerkleTree } from '@zeq/crypto';
import { notFound } from '../apis/not-found.ts';
import type { AuditRecord } from '../store/audit-store.ts';
import type { Store } from '../store/store.ts';
import { headToShow } from './heads.ts';
import { pageLeaf, treeOf } from './record-calls.ts';
import { hashesOf } from './stored-tree.ts';

const DEFAULT_LIMIT = 100;
/** Leaves of the first reading: a page may hold two thousand calls. Where they hold few, each further one takes more. */
const FIRST_RECORDS = 4;
const GROWTH = 4;
const MOST_RECORDS = 64;
const EVER = new Date('9999-12-31T00:00:00Z');

/** Where a reading goes on: behind this entry. A change has the number 0. */
interface Place {
  leaf: number;
  number: number;
}

/** An entry that has yet to get the way from its leaf to the root. */
type Unproven = AuditEntry & { path: never[] };

/** The uses of one credential and the changes to it, in the order of the log, each with its proof against one head. */
export async function readAudit(
  { audit }: Pick<Store, 'audit'>,
  machineId: string,
  apiId: string,
  query: AuditQuery,
  now: Date,
): Promise<AuditPage> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const head = await headToShow(audit, now);
  const span = {
    machineId,
    apiId,
    since: new Date(query.from ?? 0),
    until: query.to === undefined ? EVER : new Date(query.to),
  };
  const found = await collect(audit, span, head, placeOf(query.after), limit + 1);
  const entries = await prove(audit, head, found.slice(0, limit));
  return { api_id: apiId, head, entries, next: found.length > limit ? cursorOf(entries.at(-1)!) : null };
}

/** One call. @throws ProblemError `not_found` when there is none of that number, or the head does not hold it yet. */
export async function readAuditedCall(
  { audit }: Pick<Store, 'audit'>,
  machineId: string,
  apiId: string,
  number: number,
  now: Date,
): Promise<AuditPage> {
  const head = await headToShow(audit, now);
  const page = await audit.findCall(machineId, apiId, number);
  if (page === undefined || page.leaf >= head.size) throw notFound();
  const entries = entriesOf(page).filter((entry) => numberOf(entry) === number);
  return { api_id: apiId, head, entries: await prove(audit, head, entries), next: null };
}

/** The first so many entries behind a place. */
async function collect(
  audit: Store['audit'],
  span: { machineId: string; apiId: string; since: Date; until: Date },
  head: AuditHead,
  after: Place,
  limit: number,
): Promise<Unproven[]> {
  const found: Unproven[] = [];
  let wanted = FIRST_RECORDS;
  for (let from = after.leaf; found.length < limit; wanted = Math.min(MOST_RECORDS, wanted * GROWTH)) {
    const records = await audit.read({ ...span, from, to: head.size }, wanted);
    for (const record of records) {
      if (found.length >= limit) break;
      found.push(...entriesOf(record).filter((entry) => isBehind(entry, after)));
    }
    if (records.length < wanted) break;
    from = records.at(-1)!.leaf + 1;
  }
  return found.slice(0, limit);
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return { leaf: 0, number: -1 };
  const [leaf, number] = cursor.split('.').map(Number);
  return { leaf: leaf!, number: number! };
}

const cursorOf = (entry: AuditEntry): string => `${entry.leaf}.${numberOf(entry)}`;
const numberOf = (entry: AuditEntry): number => (entry.kind === 'call' ? entry.number : 0);
const isBehind = (entry: AuditEntry, { leaf, number }: Place): boolean =>
  entry.leaf > leaf || numberOf(entry) > number;

function entriesOf(record: AuditRecord): Unproven[] {
  const { leaf } = record;
  const recorded_at = record.recordedAt.toISOString();
  if (record.kind === 'change')
    return [{ kind: 'change', leaf, recorded_at, change: record.change, path: [] }];
  const tree: MerkleTree = treeOf(record.calls.map((call) => canonicalJson(call)));
  const page = pageLeaf(record, tree.root);
  return record.calls.map((call, i) => ({
    kind: 'call',
    leaf,
    number: record.first + i,
    recorded_at,
    call,
    page,
    page_path: tree.path(i).map((hash) => Buffer.from(hash).toString('hex')),
    path: [],
  }));
}

/** Gives every entry the way from its leaf to the root; all of them are read from the tree at once. */
async function prove(audit: Store['audit'], head: AuditHead, entries: Unproven[]): Promise<AuditEntry[]> {
  const leaves = [...new Set(entries.map(({ leaf }) => leaf))];
  const ranges = leaves.map((leaf) => inclusionRanges(leaf, head.size));
  const hashes = await hashesOf(audit, ranges.flat());
  const paths = new Map(leaves.map((leaf, i) => [leaf, hashes.splice(0, ranges[i]!.length)]));
  return entries.map((entry) => ({ ...entry, path: paths.get(entry.leaf)! }));
}
