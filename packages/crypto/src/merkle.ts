import { hash } from 'node:crypto';

export const MERKLE_HASH_BYTES = 32;
const NODE_PREFIX = 0x01;

/**
 * SHA-256(00 ‖ data), the hash of a leaf (RFC 6962, section 2.1). Leaves and nodes are hashed with different first bytes, so that
 * neither can pass for the other.
 *
 * @param data UTF-8.
 */
export const merkleLeaf = (data: string): Buffer => hash('sha256', `\0${data}`, 'buffer');

/** SHA-256(01 ‖ left ‖ right), the hash of a node (RFC 6962, section 2.1). */
export function merkleNode(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * MERKLE_HASH_BYTES);
  input[0] = NODE_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + MERKLE_HASH_BYTES);
  return hash('sha256', input, 'buffer');
}

/** The hash of a part of a tree from those of its complete subtrees, the largest first; the hash of nothing is that of no bytes. */
export function foldSubtrees(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return hash('sha256', '', 'buffer');
  return Buffer.from(hashes.reduceRight((right, left) => merkleNode(left, right)));
}

/** A small tree, held whole: `levels[0]` are the hashes of its leaves, and the last level is its root. */
export class MerkleTree {
  readonly #levels: Uint8Array[][];

  /** @param leaves At least one, as `merkleLeaf` makes them. */
  constructor(leaves: readonly Uint8Array[]) {
    if (leaves.length === 0) throw new RangeError('merkle: expected at least one leaf');
    this.#levels = [[...leaves]];
    for (let level = this.#levels[0]!; level.length > 1; ) {
      level = pairsOf(level);
      this.#levels.push(level);
    }
  }

  get root(): Buffer {
    return Buffer.from(this.#levels.at(-1)![0]!);
  }

  /** The hashes that lead from a leaf to the root, from the leaf upwards (section 2.1.1). */
  path(leaf: number): Uint8Array[] {
    const siblings = this.#levels.map((level, height) => level[Math.floor(leaf / 2 ** height) ^ 1]);
    return siblings.filter((sibling) => sibling !== undefined);
  }
}

/** The level above: one that is left over goes up as it is, which is the split of section 2.1 seen from below. */
function pairsOf(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at]!, level[at + 1]];
    above.push(right === undefined ? left : merkleNode(left, right));
  }
  return above;
}
