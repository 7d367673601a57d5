import type { AuditEntry, AuditHead, AuditPage, ChainPage, ChainQuery, Tick } from '@zeq/contracts';
import {
  type AuditFault,
  checkAuditEntry,
  checkTickOnWeb,
  type TickFault,
  tickBindsHead,
  ZEQOND_MS,
} from '@zeq/crypto/web';
import type { CallOptions } from '../client/core.ts';

/** The clock that has to have vouched for the log. What is left out is believed. */
export interface PinnedClock {
  /** Ed25519, 64 hex digits. */
  publicKey?: string | undefined;
  uid?: string | undefined;
}

export interface CheckOptions extends PinnedClock {
  /** The number of the last call of the page before: the next one has to follow it. */
  lastCall?: number | undefined;
}

/**
 * What is wrong with an entry: as `checkAuditEntry` says; `foreign`: it is of another API; `gap`: calls are missing in front of it.
 */
export type EntryFault = AuditFault | 'foreign' | 'gap';

/** What is wrong with the head. `unattested`: no clock has taken it; `unbound`: no tick binds it; or the tick that does is no good. */
export type HeadFault = 'unattested' | 'unbound' | 'foreign' | TickFault;

export interface AuditVerdict {
  /** For each entry; undefined: it stands in the log, word for word. */
  entries: (EntryFault | undefined)[];
  head: HeadFault | undefined;
  /** The tick that binds the head. */
  tick: Tick | undefined;
}

type AskChain = (query: Partial<ChainQuery>, options?: CallOptions) => Promise<ChainPage>;

/** Ticks in which a head is looked for, and how often, when the tick that binds it has yet to come. */
const TICKS = 20;
const TRIES = 5;

/**
 * Checks a page of the record with WebCrypto: every entry against the head, the numbers of its calls, and the head against a tick that
 * a clock has signed. What holds here was in the log when that tick was made, and whoever holds the tick can show that it was.
 */
export async function checkPage(
  askChain: AskChain,
  page: AuditPage,
  { lastCall, ...pinned }: CheckOptions = {},
  options?: CallOptions,
): Promise<AuditVerdict> {
  const entries: (EntryFault | undefined)[] = [];
  let last = lastCall;
  for (const entry of page.entries) {
    entries.push(misplacedIn(page, entry, last) ?? (await checkAuditEntry(entry, page.head)));
    if (entry.kind === 'call') last = entry.number;
  }
  return { entries, ...(await vouchedFor(askChain, page.head, pinned, options)) };
}

function misplacedIn(page: AuditPage, entry: AuditEntry, last: number | undefined): EntryFault | undefined {
  const apis = entry.kind === 'call' ? [entry.page.api_id] : entry.change.api_ids;
  if (apis !== null && !apis.includes(page.api_id)) return 'foreign';
  return entry.kind === 'call' && last !== undefined && entry.number !== last + 1 ? 'gap' : undefined;
}

async function vouchedFor(
  askChain: AskChain,
  head: AuditHead,
  { publicKey, uid }: PinnedClock,
  options?: CallOptions,
): Promise<Pick<AuditVerdict, 'head' | 'tick'>> {
  if (head.zeqond === null) return { head: 'unattested', tick: undefined };
  const tick = await findTick(askChain, head, head.zeqond, options);
  if (tick?.tesc === undefined) return { head: 'unbound', tick: undefined };
  const isForeign =
    tick.tesc.public_key !== (publicKey ?? tick.tesc.public_key) || tick.tesc.uid !== (uid ?? tick.tesc.uid);
  return { head: isForeign ? 'foreign' : await checkTickOnWeb(tick), tick };
}

/** The first tick that binds a head. It follows the taking of the head within a Zeqond or two, so it may have to be waited for. */
async function findTick(
  askChain: AskChain,
  head: AuditHead,
  fromZeqond: number,
  options?: CallOptions,
): Promise<Tick | undefined> {
  for (let tried = 1; ; tried += 1) {
    const { ticks } = await askChain({ from_zeqond: fromZeqond, limit: TICKS }, options);
    for (const tick of ticks) if (await tickBindsHead(tick, head)) return tick;
    if (ticks.length === TICKS || tried === TRIES) return undefined;
    await new Promise((resolve) => setTimeout(resolve, ZEQOND_MS / 2));
    options?.signal?.throwIfAborted();
  }
}
