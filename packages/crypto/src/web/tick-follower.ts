import { type Bytes, bigEndian, bytesOfHex, concatBytes, hexOf, utf8Bytes } from '../encoding.ts';
import {
  type AttestedTick,
  checkOrder,
  GAP_CODES,
  gapFits,
  isAttested,
  isTick,
  type Tick,
  type TickFault,
  timeFieldsAgree,
} from '../tick-shape.ts';
import { sha256OnWeb } from './sha256.ts';

const CONTENT_LABEL = utf8Bytes('zeq/tick/v1\0');
const HEAD_LABEL = utf8Bytes('zeq/head/v1\0');

export interface FollowerOptions {
  /** Ed25519, 64 hex digits, from somewhere that is trusted. Without it the first tick's key is believed and kept. */
  publicKey?: string | undefined;
  uid?: string | undefined;
}

/**
 * Follows the chain of ticks with WebCrypto alone: whoever relays it cannot show a tick that was not signed, and cannot leave one out
 * unseen. What `TickVerifier` is in Node, but for the PLAT, which needs the secret.
 */
export class TickFollower {
  #publicKey: string | undefined;
  #uid: string | undefined;
  #head: AttestedTick | undefined;

  constructor({ publicKey, uid }: FollowerOptions = {}) {
    this.#publicKey = publicKey;
    this.#uid = uid;
  }

  /** The last tick that held. */
  get head(): AttestedTick | undefined {
    return this.#head;
  }

  /**
   * One tick at a time: the next call has to wait for this one.
   *
   * @returns What is wrong; undefined when the tick holds and follows from the one before.
   */
  async accept(tick: unknown): Promise<TickFault | undefined> {
    const alone = await checkTickOnWeb(tick);
    if (alone !== undefined) return alone;
    const attested = tick as AttestedTick;
    const { public_key, uid } = attested.tesc;
    if (public_key !== (this.#publicKey ?? public_key) || uid !== (this.#uid ?? uid)) return 'foreign';
    const broken = this.#head && (await checkLinkOnWeb(this.#head, attested));
    if (broken !== undefined) return broken;
    this.#publicKey = public_key;
    this.#uid = uid;
    this.#head = attested;
    return undefined;
  }

  /** Goes on from a tick that held by itself although ticks before it were not shown: a listener that slept. Its key has to be the known one. */
  async skipTo(tick: unknown): Promise<TickFault | undefined> {
    const head = this.#head;
    this.#head = undefined;
    const fault = await this.accept(tick);
    if (fault !== undefined) this.#head = head;
    return fault;
  }
}

/** Checks one tick by itself: shape, time fields, and the signature under the key that it names. */
export async function checkTickOnWeb(tick: unknown): Promise<TickFault | undefined> {
  if (!isTick(tick)) return 'shape';
  if (tick.tesc !== undefined && !isAttested(tick)) return 'shape';
  if (!timeFieldsAgree(tick)) return 'fields';
  if (!isAttested(tick)) return 'unattested';
  return (await signatureHolds(tick)) ? undefined : 'signature';
}

/** Checks that one verified tick follows from another. */
export async function checkLinkOnWeb(head: AttestedTick, tick: AttestedTick): Promise<TickFault | undefined> {
  const disorder = checkOrder(head, tick);
  if (disorder !== undefined) return disorder;
  const { plat, chain, uid } = tick.tesc;
  const link = concatBytes(
    bytesOfHex(head.tesc.chain),
    bytesOfHex(plat),
    bigEndian(tick.zeqond, 8),
    utf8Bytes(uid),
  );
  if (hexOf(await sha256OnWeb(link)) !== chain) return 'link';
  return gapFits(head.zeqond, tick) ? undefined : 'gap';
}

async function signatureHolds(tick: AttestedTick): Promise<boolean> {
  const { tesc, zeqond } = tick;
  const signed = concatBytes(
    HEAD_LABEL,
    bigEndian(tesc.depth, 8),
    bigEndian(zeqond, 8),
    bytesOfHex(tesc.prev),
    bytesOfHex(tesc.plat),
    bytesOfHex(tesc.chain),
    await tickContentDigestOnWeb(tick),
    utf8Bytes(tesc.uid),
  );
  const key = await crypto.subtle.importKey('raw', bytesOfHex(tesc.public_key), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, bytesOfHex(tesc.sig), signed);
}

/** SHA-256 of the 81 bytes that PLAT and signature bind; see `tickContentDigest`. */
export function tickContentDigestOnWeb({ timestamp, zeqond, connections, gap, bound }: Tick): Promise<Bytes> {
  const content = concatBytes(
    CONTENT_LABEL,
    bigEndian(Math.round(timestamp * 1000), 8),
    bigEndian(zeqond, 8),
    bigEndian(connections, 4),
    bigEndian(gap === undefined ? 0 : GAP_CODES[gap.reason], 1),
    bigEndian(gap?.after ?? 0, 8),
    bigEndian(gap?.missed ?? 0, 8),
    bound === undefined ? new Uint8Array(32) : bytesOfHex(bound),
  );
  return sha256OnWeb(content);
}
