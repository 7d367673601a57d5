import { createHash } from 'node:crypto';
import { assertLength } from './bytes.ts';
import { PLAT_BYTES, uint64 } from './plat.ts';

export const CHAIN_BYTES = 32;
const GENESIS_LABEL = Buffer.from('zeq/genesis/v1\0', 'latin1');

/** One link: what a chain hash is made of, and the hash itself. */
export interface ChainLink {
  zeqond: number;
  plat: Uint8Array;
  chain: Uint8Array;
}

/**
 * chain_0 = SHA-256("zeq/genesis/v1" 00 (15 bytes) ‖ seed (32 random bytes) ‖ uid (UTF-8)). Two chains of one uid differ from their
 * first byte on, so a chain that was thrown away and begun anew cannot pass for the old one.
 */
export function genesisChain(seed: Uint8Array, uid: string): Buffer {
  assertLength(seed, CHAIN_BYTES, 'genesis seed');
  return createHash('sha256').update(GENESIS_LABEL).update(seed).update(uid, 'utf8').digest();
}

/** chain_n = SHA-256(chain_{n-1} (32) ‖ plat_n (32) ‖ zeqond (8, big-endian) ‖ uid (UTF-8)). */
export function nextChain(previous: Uint8Array, plat: Uint8Array, zeqond: number, uid: string): Buffer {
  assertLength(previous, CHAIN_BYTES, 'previous chain');
  assertLength(plat, PLAT_BYTES, 'PLAT');
  return createHash('sha256')
    .update(previous)
    .update(plat)
    .update(uint64(zeqond, 'zeqond'))
    .update(uid, 'utf8')
    .digest();
}

/**
 * Finds the first link that does not follow from the one before it: an altered, dropped, repeated, swapped or inserted one. It cannot
 * see a tail that was cut off or a chain that was computed anew; a signed head that somebody else kept does (`tick.ts`).
 *
 * @param start The chain hash before the first link.
 * @returns Its index, or -1 when every link holds.
 */
export function firstBrokenLink(start: Uint8Array, uid: string, links: readonly ChainLink[]): number {
  let chain: Uint8Array = start;
  let zeqond = -1;
  for (const [index, link] of links.entries()) {
    if (link.zeqond <= zeqond) return index;
    if (!nextChain(chain, link.plat, link.zeqond, uid).equals(link.chain)) return index;
    ({ chain, zeqond } = link);
  }
  return -1;
}
