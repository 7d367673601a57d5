/** What a tick is, and its rules that need no cryptography: Node's verifier and the one on WebCrypto share them. */
import { ko42Of, PULSE_HZ, phaseOf, phaseRadians, zeqondOf } from './clock.ts';
import { utf8Bytes } from './encoding.ts';

/**
 * Why Zeqonds are missing in front of a tick, or why ticks waited. The code is the byte under the signature.
 * `takeover`: another engine leads now. `store_unavailable`: the ticks in between could not be stored, so they were not attested.
 */
export const GAP_CODES = {
  restart: 1,
  stall: 2,
  clock_forward: 3,
  clock_back: 4,
  store_unavailable: 5,
  takeover: 6,
} as const;
export type GapReason = keyof typeof GAP_CODES;

export interface Gap {
  /** The last Zeqond that has a tick. */
  after: number;
  /** Zeqonds without a tick since then; 0 for an event that cost none. */
  missed: number;
  reason: GapReason;
}

/** The attestation of a tick: hex, lower case. */
export interface Tesc {
  uid: string;
  plat: string;
  /** The PLAT of the tick before. */
  prev: string;
  chain: string;
  depth: number;
  sig: string;
  /** Ed25519, 32 bytes. */
  public_key: string;
}

/** A tick as it goes over the wire. */
export interface Tick {
  type: 'tick';
  zeqond: number;
  phase: number;
  phaseRadians: number;
  /** Unix seconds with milliseconds. */
  timestamp: number;
  ko42: number;
  frequency: number;
  connections: number;
  gap?: Gap;
  /** 32 bytes as hex that the mesh ties to this moment. */
  bound?: string;
  tesc?: Tesc;
}
export type AttestedTick = Tick & { tesc: Tesc };

/**
 * What can be wrong with a tick.
 * - alone: `unattested`, `shape` (not a tick), `fields` (time fields that contradict each other), `signature`, `plat`
 * - against what is known: `foreign` (another uid or key), `repeated` (a tick seen before), `fork` (a second tick of a known depth),
 *   `missing` (ticks in between were not shown), `order` (Zeqond not after the head), `link` (PLAT or chain does not follow), `gap`
 *   (the stated gap does not fit)
 */
export type TickFault =
  | 'unattested'
  | 'shape'
  | 'fields'
  | 'signature'
  | 'plat'
  | 'foreign'
  | 'repeated'
  | 'fork'
  | 'missing'
  | 'order'
  | 'link'
  | 'gap';

/** Where a tick stands against the head, but for its chain hash. The head and the tick were verified by themselves. */
export function checkOrder(head: AttestedTick, tick: AttestedTick): TickFault | undefined {
  const depths = tick.tesc.depth - head.tesc.depth;
  if (depths <= 0) return isFork(head, tick) ? 'fork' : 'repeated';
  if (depths > 1) return 'missing';
  if (tick.zeqond <= head.zeqond) return 'order';
  return tick.tesc.prev === head.tesc.plat ? undefined : 'link';
}

/** Another tick of the head's depth; or, behind it, one that is younger: the chain was cut and has grown anew. */
const isFork = (head: AttestedTick, tick: AttestedTick): boolean =>
  tick.tesc.depth === head.tesc.depth ? tick.tesc.sig !== head.tesc.sig : tick.zeqond >= head.zeqond;

/** A missing Zeqond has to be stated, and what is stated has to be true. */
export function gapFits(after: number, { zeqond, gap }: Tick): boolean {
  const missed = zeqond - after - 1;
  return gap === undefined ? missed === 0 : gap.after === after && gap.missed === missed;
}

/** Sines differ between runtimes in the last bit (2e-19 here), so KO42 alone has a tolerance. */
const KO42_TOLERANCE = 1e-15;

/** Whether everything that follows from the timestamp does. */
export function timeFieldsAgree(tick: Tick): boolean {
  const ms = Math.round(tick.timestamp * 1000);
  return (
    ms / 1000 === tick.timestamp &&
    tick.zeqond === zeqondOf(ms) &&
    tick.phase === phaseOf(ms) &&
    tick.phaseRadians === phaseRadians(ms) &&
    Math.abs(tick.ko42 - ko42Of(ms)) <= KO42_TOLERANCE &&
    tick.frequency === PULSE_HZ
  );
}

const isCount = (value: unknown, max = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
const isHex = (value: unknown, bytes: number): boolean =>
  typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]+$/.test(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** It would hash like no bound bytes at all. */
const ALL_ZERO = '0'.repeat(64);

/** Every field is there, of its type and its length. */
export function isTick(tick: unknown): tick is Tick {
  return (
    isObject(tick) &&
    tick.type === 'tick' &&
    isCount(tick.zeqond) &&
    typeof tick.timestamp === 'number' &&
    tick.timestamp >= 0 &&
    isCount(Math.round(tick.timestamp * 1000)) &&
    ['phase', 'phaseRadians', 'ko42', 'frequency'].every((name) => typeof tick[name] === 'number') &&
    isCount(tick.connections, 0xffff_ffff) &&
    (tick.bound === undefined || (isHex(tick.bound, 32) && tick.bound !== ALL_ZERO)) &&
    (tick.gap === undefined || isGap(tick.gap))
  );
}

const isGap = (gap: unknown): boolean =>
  isObject(gap) &&
  isCount(gap.after) &&
  isCount(gap.missed) &&
  typeof gap.reason === 'string' &&
  Object.hasOwn(GAP_CODES, gap.reason);

export function isAttested(tick: Tick): tick is AttestedTick {
  const tesc: unknown = tick.tesc;
  return (
    isObject(tesc) &&
    typeof tesc.uid === 'string' &&
    tesc.uid.length > 0 &&
    utf8Bytes(tesc.uid).length <= 255 &&
    isCount(tesc.depth) &&
    tesc.depth > 0 &&
    ['plat', 'prev', 'chain', 'public_key'].every((name) => isHex(tesc[name], 32)) &&
    isHex(tesc.sig, 64)
  );
}
