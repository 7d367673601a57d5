import type { AuditEntry, AuditGrowth, AuditHead, AuditPage } from '@zeq/contracts';
import { logHasGrown } from '@zeq/crypto/web';
import { faultOf } from './check-entry.ts';
import type { Fault } from './fault.ts';
import type { RememberedHead } from './remembered.ts';
import { rowId } from './rows.ts';
import { type ClockSource, type Vouch, vouchFor } from './vouch.ts';

export interface RecordSource extends ClockSource {
  /** How the log has grown since a size; undefined when it never had it. */
  growth: (since: number) => Promise<AuditGrowth | undefined>;
}

export type RecordVerdict = Vouch & {
  /** What is wrong with single entries, by row. */
  faults: ReadonlyMap<string, Fault>;
  /** How far what is shown was followed: all of it lies in this log, which begins with the remembered one. */
  head?: AuditHead;
  growth?: readonly Growth[];
  /** What was remembered before, and is all in it. */
  since?: RememberedHead | undefined;
};

/** That the log only grew from one head to the one that the clock vouches for. */
export interface Growth {
  from: RememberedHead;
  path: string[];
}

/** The questions are asked at once; on a busy mesh the head can move between two of them all the same. */
const TRIES = 5;

/**
 * Checks every entry that is shown, that no call is left out between them, that they and what was remembered all lie in one log, and
 * that the clock vouches for it. @throws as the source.
 */
export async function verifyRecord(
  pages: readonly AuditPage[],
  apiId: string,
  remembered: RememberedHead | undefined,
  source: RecordSource,
): Promise<RecordVerdict> {
  const faults = await faultsOf(pages, apiId);
  const [first] = faults.values();
  if (first !== undefined) return { state: 'failed', fault: first, faults };
  const heads = distinct([...(remembered ? [remembered] : []), ...pages.map(({ head }) => head)]);
  const once = async (): Promise<RecordVerdict> => {
    const grown = await followGrowth(heads, source);
    if ('state' in grown) return { ...grown, faults };
    return { ...(await vouchFor(grown.head, source)), ...grown, faults, since: remembered };
  };
  const verdict = await once();
  // The clock may have missed this head, and bound a later one: once more, with that.
  return verdict.state === 'failed' && verdict.fault.step === 'head' ? once() : verdict;
}

/** What is wrong with single entries, in the order of the log. */
async function faultsOf(pages: readonly AuditPage[], apiId: string): Promise<Map<string, Fault>> {
  const found = new Map<string, Fault>();
  const disorder = new Map(orderFaults(pages));
  for (const { entries, head } of pages)
    for (const entry of entries) {
      const id = rowId(entry);
      const fault = (await faultOf(entry, head, apiId)) ?? disorder.get(id);
      if (fault !== undefined) found.set(id, fault);
    }
  return found;
}

/** The numbers of an API's calls rise by one along the log, so one that was left out shows. */
function orderFaults(pages: readonly AuditPage[]): [string, Fault][] {
  const found: [string, Fault][] = [];
  let leaf = 0;
  let last: number | undefined;
  for (const entry of pages.flatMap(({ entries }) => entries)) {
    const isBack = entry.leaf < leaf || (entry.kind === 'call' && entry.number <= (last ?? 0));
    if (isBack) found.push([rowId(entry), { step: 'order' }]);
    else if (entry.kind === 'call' && last !== undefined && entry.number > last + 1)
      found.push([rowId(entry), { step: 'gap', of: span(last + 1, entry.number - 1) }]);
    leaf = entry.leaf;
    last = numberOf(entry) ?? last;
  }
  return found;
}

const numberOf = (entry: AuditEntry): number | undefined =>
  entry.kind === 'call' ? entry.number : undefined;
const span = (from: number, to: number): string => (from === to ? String(from) : `${from} to ${to}`);

type Followed = { head: AuditHead; growth: Growth[] } | { state: 'waiting' } | Failed;
type Failed = { state: 'failed'; fault: Fault };

/** Follows each head to the one of now: it has to be the same for all, so that they lie in one log. */
async function followGrowth(heads: readonly RememberedHead[], source: RecordSource): Promise<Followed> {
  for (let asked = 0; asked < TRIES; asked++) {
    const answers = await Promise.all(heads.map(({ size }) => source.growth(size)));
    const known = answers.filter((answer) => answer !== undefined);
    if (known.length < answers.length) return rewritten;
    const head = known[0]?.head;
    if (head === undefined) return { state: 'waiting' };
    if (known.some((answer) => !isSame(answer.head, head))) continue;
    const growth = heads.map((from, i) => ({ from, path: known[i]?.path ?? [] }));
    const held = await Promise.all(growth.map((each) => holds(each, head)));
    return held.every(Boolean) ? { head, growth } : rewritten;
  }
  return { state: 'waiting' };
}

const rewritten: Failed = { state: 'failed', fault: { step: 'history' } };

/** What is no hex, or no path, shows nothing. */
async function holds({ from, path }: Growth, head: AuditHead): Promise<boolean> {
  try {
    return await logHasGrown({ ...from, zeqond: null }, head, path);
  } catch (err) {
    if (err instanceof TypeError || err instanceof RangeError) return false;
    throw err;
  }
}

const isSame = (one: RememberedHead, two: RememberedHead): boolean =>
  one.size === two.size && one.root === two.root;

const distinct = (heads: readonly RememberedHead[]): RememberedHead[] =>
  heads
    .filter((head, i) => heads.findIndex((other) => isSame(head, other)) === i)
    .map(({ size, root }) => ({ size, root }));
