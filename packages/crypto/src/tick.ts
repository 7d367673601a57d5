import { createHash, type KeyObject, sign } from 'node:crypto';
import { assertLength } from './bytes.ts';
import { nextChain } from './chain.ts';
import { ko42Of, PULSE_HZ, phaseOf, phaseRadians, zeqondOf } from './clock.ts';
import { platOf, uint64 } from './plat.ts';
import { type AttestedTick, GAP_CODES, type Gap, type Tesc, type Tick } from './tick-shape.ts';

export {
  type AttestedTick,
  GAP_CODES,
  type Gap,
  type GapReason,
  type Tesc,
  type Tick,
} from './tick-shape.ts';

/** The channel name under which ticks get their PLAT. */
export const TICK_CHANNEL = 'zeq/ticks';

/** The facts of a tick that nothing else determines. */
export interface TickFacts {
  /** Unix milliseconds, whole. */
  timestampMs: number;
  connections: number;
  gap?: Gap;
  /** 32 bytes that the mesh ties to this moment, such as the root of its audit log. */
  bound?: Uint8Array;
}

/** Where a chain stands: everything the next tick follows from. */
export interface Head {
  depth: number;
  zeqond: number;
  plat: Uint8Array;
  chain: Uint8Array;
}

/** Who attests. */
export interface TickSigner {
  uid: string;
  platKey: KeyObject;
  /** Ed25519. */
  signingKey: KeyObject;
  /** Ed25519, 32 bytes. */
  publicKey: Uint8Array;
}

/** A tick that attests nothing: the time in all its forms. */
export function plainTick({ timestampMs, connections, gap, bound }: TickFacts): Tick {
  return {
    type: 'tick',
    zeqond: zeqondOf(timestampMs),
    phase: phaseOf(timestampMs),
    phaseRadians: phaseRadians(timestampMs),
    timestamp: timestampMs / 1000,
    ko42: ko42Of(timestampMs),
    frequency: PULSE_HZ,
    connections,
    ...(gap !== undefined && { gap }),
    ...(bound !== undefined && { bound: Buffer.from(bound).toString('hex') }),
  };
}

/** The tick that follows `head`: its PLAT, its link and its signature. @throws RangeError when it would not lie after the head. */
export function attestTick(signer: TickSigner, head: Head, facts: TickFacts): AttestedTick {
  const tick = plainTick(facts);
  const { zeqond } = tick;
  if (zeqond <= head.zeqond) throw new RangeError('tick: expected a Zeqond after the head');
  const { uid, platKey } = signer;
  const digest = tickContentDigest(facts);
  const plat = platOf(platKey, {
    channel: TICK_CHANNEL,
    uid,
    zeqond,
    previous: head.plat,
    contentDigest: digest,
  });
  const chain = nextChain(head.chain, plat, zeqond, uid);
  const signed: SignedFields = {
    depth: head.depth + 1,
    zeqond,
    prev: head.plat,
    plat,
    chain,
    contentDigest: digest,
    uid,
  };
  const tesc: Tesc = {
    uid,
    plat: plat.toString('hex'),
    prev: Buffer.from(head.plat).toString('hex'),
    chain: chain.toString('hex'),
    depth: signed.depth,
    sig: sign(null, signedBytes(signed), signer.signingKey).toString('hex'),
    public_key: Buffer.from(signer.publicKey).toString('hex'),
  };
  return { ...tick, tesc };
}

/**
 * SHA-256 of a tick's content, which its PLAT and its signature bind. The content is 81 bytes, integers big-endian and unsigned:
 *
 *     12  "zeq/tick/v1" 00
 *      8  timestamp, Unix milliseconds
 *      8  zeqond = floor(timestamp / 777)
 *      4  connections
 *      1  gap reason (GAP_CODES), 0 without a gap
 *      8  gap: last Zeqond that has a tick, 0 without a gap
 *      8  gap: Zeqonds missed, 0 without a gap
 *     32  bound bytes, 32 zero bytes where there are none
 *
 * Phase, radians, KO42 and frequency follow from the timestamp, so a verifier computes them instead of hashing them.
 */
export function tickContentDigest({ timestampMs, connections, gap, bound }: TickFacts): Buffer {
  const fixed = Buffer.alloc(5);
  fixed.writeUInt32BE(connections);
  fixed.writeUInt8(gap === undefined ? 0 : GAP_CODES[gap.reason], 4);
  if (bound !== undefined) assertLength(bound, 32, 'bound');
  return createHash('sha256')
    .update(CONTENT_LABEL)
    .update(uint64(timestampMs, 'timestamp'))
    .update(uint64(zeqondOf(timestampMs), 'zeqond'))
    .update(fixed)
    .update(uint64(gap?.after ?? 0, 'gap.after'))
    .update(uint64(gap?.missed ?? 0, 'gap.missed'))
    .update(bound ?? NOTHING_BOUND)
    .digest();
}

export interface SignedFields {
  depth: number;
  zeqond: number;
  prev: Uint8Array;
  plat: Uint8Array;
  chain: Uint8Array;
  contentDigest: Uint8Array;
  uid: string;
}

/**
 * What the Ed25519 signature (RFC 8032, PureEdDSA) of a tick covers, so that everybody can check every field without the secret:
 *
 *     12  "zeq/head/v1" 00
 *      8  depth, big-endian        8  zeqond, big-endian
 *     32  previous PLAT           32  PLAT           32  chain
 *     32  SHA-256 of the content
 *      n  uid, UTF-8
 */
export function signedBytes({ depth, zeqond, prev, plat, chain, contentDigest, uid }: SignedFields): Buffer {
  return Buffer.concat([
    HEAD_LABEL,
    uint64(depth, 'depth'),
    uint64(zeqond, 'zeqond'),
    prev,
    plat,
    chain,
    contentDigest,
    Buffer.from(uid, 'utf8'),
  ]);
}

const CONTENT_LABEL = Buffer.from('zeq/tick/v1\0', 'latin1');
const HEAD_LABEL = Buffer.from('zeq/head/v1\0', 'latin1');
const NOTHING_BOUND = Buffer.alloc(32);
