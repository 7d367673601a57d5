import { hash } from 'node:crypto';
import { assertLength } from './bytes.ts';
import type { Subtree } from './merkle-shape.ts';

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

/** Where a tree that only grows stands: its size, and the hashes of the complete subtrees that it is made of, the largest first. */
export interface MerkleGrowth {
  size: number;
  peaks: Uint8Array[];
}

/** A subtree that has become complete. */
export type CompleteSubtree = Subtree & { hash: Uint8Array };

/**
 * Appends leaves to a tree of which only the peaks are known.
 *
 * @returns Where it stands then, and every subtree that has become complete, the leaves themselves among them.
 */
export function growMerkleTree(
  grown: MerkleGrowth,
  leaves: readonly Uint8Array[],
): MerkleGrowth & { completed: CompleteSubtree[] } {
  const peaks = [...grown.peaks];
  let { size } = grown;
  const completed: CompleteSubtree[] = [];
  for (const leaf of leaves) {
    assertLength(leaf, MERKLE_HASH_BYTES, 'leaf');
    let node: CompleteSubtree = { level: 0, index: size, hash: leaf };
    completed.push(node);
    while (node.index % 2 === 1) {
      const { level, index } = node;
      node = { level: level + 1, index: (index - 1) / 2, hash: merkleNode(peaks.pop()!, node.hash) };
      completed.push(node);
    }
    peaks.push(node.hash);
    size += 1;
  }
  return { size, peaks, completed };
}
