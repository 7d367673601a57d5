import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { nextChain } from './chain.ts';
import { verifyPlat } from './plat.ts';
import {
  type AttestedTick,
  type Head,
  type SignedFields,
  signedBytes,
  TICK_CHANNEL,
  type Tick,
  type TickFacts,
  tickContentDigest,
} from './tick.ts';
import { checkOrder, gapFits, isAttested, isTick, type TickFault, timeFieldsAgree } from './tick-shape.ts';

export type { TickFault } from './tick-shape.ts';

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
  const disorder = checkOrder(head, tick);
  if (disorder !== undefined) return disorder;
  const chain = nextChain(hex(head.tesc.chain), hex(tick.tesc.plat), tick.zeqond, tick.tesc.uid);
  if (chain.toString('hex') !== tick.tesc.chain) return 'link';
  return gapFits(head.zeqond, tick) ? undefined : 'gap';
}

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
