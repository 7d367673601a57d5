import { createHash } from 'node:crypto';
import {
  type AttestedTick,
  factsOf,
  GAP_CODES,
  type GapReason,
  plainTick,
  type TickFacts,
} from '@zeq/crypto';

/** Every record has this length, so a depth is an offset and a torn tail shows in the file's length. */
export const RECORD_BYTES = 256;
const BODY_BYTES = 240;
const CHECK_BYTES = 16;

/** uid and public key of a chain: the same for every tick of it, so they are not in the record. */
export interface RecordIdentity {
  uid: string;
  publicKey: Uint8Array;
}

/**
 * A tick as 256 bytes, integers big-endian:
 *
 *     8 depth    8 timestamp, Unix ms    4 connections    1 gap reason, 0 without    3 zero
 *     8 gap.after    8 gap.missed    32 bound, zeros without    32 prev    32 PLAT    32 chain    64 signature    8 zero
 *    16 the first bytes of SHA-256 over the 240 before
 */
export function writeRecord(tick: AttestedTick): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  const { timestampMs, connections, gap, bound } = factsOf(tick);
  record.writeBigUInt64BE(BigInt(tick.tesc.depth), 0);
  record.writeBigUInt64BE(BigInt(timestampMs), 8);
  record.writeUInt32BE(connections, 16);
  record.writeUInt8(gap === undefined ? 0 : GAP_CODES[gap.reason], 20);
  record.writeBigUInt64BE(BigInt(gap?.after ?? 0), 24);
  record.writeBigUInt64BE(BigInt(gap?.missed ?? 0), 32);
  if (bound !== undefined) record.set(bound, 40);
  record.write(tick.tesc.prev, 72, 'hex');
  record.write(tick.tesc.plat, 104, 'hex');
  record.write(tick.tesc.chain, 136, 'hex');
  record.write(tick.tesc.sig, 168, 'hex');
  record.set(checksum(record), BODY_BYTES);
  return record;
}

/** @returns undefined for a record that was not written whole. */
export function readRecord(record: Buffer, { uid, publicKey }: RecordIdentity): AttestedTick | undefined {
  if (record.length !== RECORD_BYTES || !checksum(record).equals(record.subarray(BODY_BYTES)))
    return undefined;
  const hex = (from: number, to: number) => record.toString('hex', from, to);
  return {
    ...plainTick(readFacts(record)),
    tesc: {
      uid,
      plat: hex(104, 136),
      prev: hex(72, 104),
      chain: hex(136, 168),
      depth: Number(record.readBigUInt64BE(0)),
      sig: hex(168, 232),
      public_key: Buffer.from(publicKey).toString('hex'),
    },
  };
}

function readFacts(record: Buffer): TickFacts {
  const code = record.readUInt8(20);
  const bound = record.subarray(40, 72);
  const [reason] = Object.entries(GAP_CODES).find(([, value]) => value === code) ?? [];
  const gap = reason && {
    after: Number(record.readBigUInt64BE(24)),
    missed: Number(record.readBigUInt64BE(32)),
    reason: reason as GapReason,
  };
  return {
    timestampMs: Number(record.readBigUInt64BE(8)),
    connections: record.readUInt32BE(16),
    ...(gap && { gap }),
    ...(bound.some((byte) => byte !== 0) && { bound }),
  };
}

const checksum = (record: Buffer): Buffer =>
  createHash('sha256').update(record.subarray(0, BODY_BYTES)).digest().subarray(0, CHECK_BYTES);
