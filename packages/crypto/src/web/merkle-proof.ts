import { type Bytes, concatBytes, utf8Bytes } from '../encoding.ts';
import { sha256OnWeb } from './sha256.ts';

const HASH_BYTES = 32;

/** SHA-256(00 ‖ data): see `merkleLeaf`. */
export const merkleLeafOnWeb = (data: string): Promise<Bytes> =>
  sha256OnWeb(concatBytes(Uint8Array.of(0), utf8Bytes(data)));

const nodeOf = (left: Uint8Array, right: Uint8Array): Promise<Bytes> =>
  sha256OnWeb(concatBytes(Uint8Array.of(1), left, right));

/** A tree's size and root, as somebody whom one believes has stated them. */
export interface MerkleRoot {
  size: number;
  root: Uint8Array;
}

/** Checks that a tree has this leaf in this place (RFC 9162, section 2.1.3.2). */
export async function leafIsIncluded(
  leafHash: Uint8Array,
  leaf: number,
  { size, root }: MerkleRoot,
  path: readonly Uint8Array[],
): Promise<boolean> {
  if (!isIndex(leaf) || !isIndex(size) || leaf >= size || !path.every(isHash)) return false;
  const climb = new Climb(leaf, size - 1);
  let hash: Uint8Array = leafHash;
  for (const sibling of path) {
    if (climb.isAtTop) return false;
    if (climb.comesFromRight()) hash = await nodeOf(sibling, hash);
    else hash = await nodeOf(hash, sibling);
    climb.up();
  }
  return climb.isAtTop && isSame(hash, root);
}

/** Checks that the first tree is the beginning of the second: nothing in it was changed or taken out (RFC 9162, section 2.1.4.2). */
export async function treeHasGrown(
  first: MerkleRoot,
  second: MerkleRoot,
  path: readonly Uint8Array[],
): Promise<boolean> {
  if (!isIndex(first.size) || !isIndex(second.size) || first.size > second.size || !path.every(isHash))
    return false;
  if (first.size === 0) return path.length === 0;
  if (first.size === second.size) return path.length === 0 && isSame(first.root, second.root);
  const [start, ...rest] = isPowerOfTwo(first.size) ? [first.root, ...path] : path;
  if (start === undefined) return false;
  const climb = new Climb(first.size - 1, second.size - 1);
  while (climb.isRightChild) climb.up();
  let [before, after] = [start, start];
  for (const sibling of rest) {
    if (climb.isAtTop) return false;
    if (climb.comesFromRight()) {
      before = await nodeOf(sibling, before);
      after = await nodeOf(sibling, after);
    } else after = await nodeOf(after, sibling);
    climb.up();
  }
  return climb.isAtTop && isSame(before, first.root) && isSame(after, second.root);
}

/** The way from a node to the root: `place` is its index on its level and `last` that of the last one there. Halved, not shifted: up to 2^53. */
class Climb {
  #place: number;
  #last: number;

  constructor(place: number, last: number) {
    this.#place = place;
    this.#last = last;
  }

  get isAtTop(): boolean {
    return this.#last === 0;
  }

  get isRightChild(): boolean {
    return this.#place % 2 === 1;
  }

  up(): void {
    this.#place = Math.floor(this.#place / 2);
    this.#last = Math.floor(this.#last / 2);
  }

  /** Whether the sibling lies to the left. A node that is left over at the end of its level goes up until it has one. */
  comesFromRight(): boolean {
    if (!this.isRightChild && this.#place !== this.#last) return false;
    while (!this.isRightChild && this.#place !== 0) this.up();
    return true;
  }
}

const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isHash = (hash: Uint8Array): boolean => hash.length === HASH_BYTES;
const isSame = (one: Uint8Array, two: Uint8Array): boolean =>
  one.length === two.length && one.every((byte, at) => byte === two[at]);

function isPowerOfTwo(size: number): boolean {
  let power = 1;
  while (power < size) power *= 2;
  return power === size;
}
