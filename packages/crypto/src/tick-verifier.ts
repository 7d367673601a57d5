import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { nextChain } from './chain.ts';
import { ko42Of, PULSE_HZ, phaseOf, phaseRadians, zeqondOf } from './clock.ts';
import { verifyPlat } from './plat.ts';
import {
  type AttestedTick,
  GAP_CODES,
  type Head,
  type SignedFields,
  signedBytes,
  TICK_CHANNEL,
  type Tick,
  type TickFacts,
  tickContentDigest,
} from './tick.ts';

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

export interface VerifierOptions {
  /** Ed25519, 64 hex digits. Without it the first tick's key is believed and kept. */
  publicKey?: string;
  uid?: string;
  /** Whoever holds the secret checks the PLAT too. */
  platKey?: KeyObject;
  /** A tick verified earlier: the next has to follow from it. */
  head?: AttestedTick;
}

/** Follows a chain of ticks. A tick moves the head only when nothing at all is wrong with it. */
export class TickVerifier {
  readonly #platKey: KeyObject | undefined;
  #publicKey: string | undefined;
  #uid: string | undefined;
  #head: AttestedTick | undefined;

  constructor({ publicKey, uid, platKey, head }: VerifierOptions = {}) {
    this.#platKey = platKey;
    this.#publicKey = publicKey ?? head?.tesc.public_key;
    this.#uid = uid ?? head?.tesc.uid;
    this.#head = head;
  }

  /** The last tick that held. */
  get head(): AttestedTick | undefined {
    return this.#head;
  }

  /** @returns What is wrong, or undefined when the tick follows. */
  accept(tick: unknown): TickFault | undefined {
    const fault = checkTick(tick, this.#platKey);
    if (fault !== undefined) return fault;
    const attested = tick as AttestedTick;
    const { public_key, uid } = attested.tesc;
    if (public_key !== (this.#publicKey ?? public_key) || uid !== (this.#uid ?? uid)) return 'foreign';
    const broken = this.#head && checkLink(this.#head, attested);
    if (broken !== undefined) return broken;
    this.#publicKey = public_key;
    this.#uid = uid;
    this.#head = attested;
    return undefined;
  }
}

/**
 * Checks one tick by itself: shape, time fields, signature under the key it names, and the PLAT when the key is given.
 *
 * @returns `unattested` for a tick that is right as far as it goes and claims nothing.
 */
export function checkTick(tick: unknown, platKey?: KeyObject): TickFault | undefined {
  if (!isTick(tick)) return 'shape';
  if (tick.tesc !== undefined && !isAttested(tick)) return 'shape';
  if (!timeFieldsAgree(tick)) return 'fields';
  if (!isAttested(tick)) return 'unattested';
  const fields = signedFieldsOf(tick);
  if (!signatureHolds(fields, tick.tesc)) return 'signature';
  const { uid, zeqond, prev: previous, contentDigest, plat } = fields;
  if (platKey && !verifyPlat(platKey, { channel: TICK_CHANNEL, uid, zeqond, previous, contentDigest }, plat))
    return 'plat';
  return undefined;
}

/** Checks that one verified tick follows from another. */
export function checkLink(head: AttestedTick, tick: AttestedTick): TickFault | undefined {
  const depths = tick.tesc.depth - head.tesc.depth;
  if (depths <= 0) return isFork(head, tick) ? 'fork' : 'repeated';
  if (depths > 1) return 'missing';
  if (tick.zeqond <= head.zeqond) return 'order';
  if (tick.tesc.prev !== head.tesc.plat) return 'link';
  const chain = nextChain(hex(head.tesc.chain), hex(tick.tesc.plat), tick.zeqond, tick.tesc.uid);
  if (chain.toString('hex') !== tick.tesc.chain) return 'link';
  return gapFits(head.zeqond, tick) ? undefined : 'gap';
}

/** Another tick of the head's depth; or, behind it, one that is younger: the chain was cut and has grown anew. */
const isFork = (head: AttestedTick, tick: AttestedTick): boolean =>
  tick.tesc.depth === head.tesc.depth ? tick.tesc.sig !== head.tesc.sig : tick.zeqond >= head.zeqond;

/** Where a tick leaves the chain. */
export const headOf = ({ zeqond, tesc }: AttestedTick): Head => ({
  depth: tesc.depth,
  zeqond,
  plat: hex(tesc.plat),
  chain: hex(tesc.chain),
});

/** The facts a tick was made of. */
export const factsOf = (tick: Tick): TickFacts => ({
  timestampMs: Math.round(tick.timestamp * 1000),
  connections: tick.connections,
  ...(tick.gap !== undefined && { gap: tick.gap }),
  ...(tick.bound !== undefined && { bound: hex(tick.bound) }),
});

/** A missing Zeqond has to be stated, and what is stated has to be true. */
function gapFits(after: number, { zeqond, gap }: Tick): boolean {
  const missed = zeqond - after - 1;
  return gap === undefined ? missed === 0 : gap.after === after && gap.missed === missed;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function signedFieldsOf(tick: AttestedTick): SignedFields {
  const { depth, prev, plat, chain, uid } = tick.tesc;
  const contentDigest = tickContentDigest(factsOf(tick));
  return {
    depth,
    zeqond: tick.zeqond,
    prev: hex(prev),
    plat: hex(plat),
    chain: hex(chain),
    contentDigest,
    uid,
  };
}

function signatureHolds(fields: SignedFields, { sig, public_key }: AttestedTick['tesc']): boolean {
  const x = hex(public_key).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  return verify(null, signedBytes(fields), key, hex(sig));
}

/** Sines differ between runtimes in the last bit (2e-19 here), so KO42 alone has a tolerance. */
const KO42_TOLERANCE = 1e-15;

function timeFieldsAgree(tick: Tick): boolean {
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

function isTick(tick: unknown): tick is Tick {
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

function isAttested(tick: Tick): tick is AttestedTick {
  const tesc: unknown = tick.tesc;
  return (
    isObject(tesc) &&
    typeof tesc.uid === 'string' &&
    tesc.uid.length > 0 &&
    Buffer.byteLength(tesc.uid) <= 255 &&
    isCount(tesc.depth) &&
    tesc.depth > 0 &&
    ['plat', 'prev', 'chain', 'public_key'].every((name) => isHex(tesc[name], 32)) &&
    isHex(tesc.sig, 64)
  );
}
