/** Which parts a Merkle tree has (RFC 6962, section 2.1), as whole numbers up to 2^53: nothing here hashes, so browsers share it. */

/** The leaves from `from` up to, but not including, `to`. */
export interface LeafRange {
  from: number;
  to: number;
}

/** The subtree over the 2^level leaves from index · 2^level on. Once all of them exist it never changes. */
export interface Subtree {
  level: number;
  index: number;
}

/** The largest power of two below `size`: where a tree of two leaves and more is split. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/**
 * The parts of a tree of `size` leaves whose hashes lead from one leaf to the root, from the leaf upwards: PATH(m, D[n]), section 2.1.1.
 *
 * @throws RangeError for a leaf that the tree does not have.
 */
export function inclusionRanges(leaf: number, size: number): LeafRange[] {
  if (!Number.isSafeInteger(leaf) || leaf < 0 || leaf >= size)
    throw new RangeError('merkle: expected a leaf of the tree');
  const ranges: LeafRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    ranges.unshift(leaf < middle ? { from: middle, to } : { from, to: middle });
    if (leaf < middle) to = middle;
    else from = middle;
  }
  return ranges;
}

/**
 * The parts whose hashes show that the tree of `first` leaves is the beginning of the one of `second`: PROOF(m, D[n]), section 2.1.2.
 * Empty for an empty beginning and for equal sizes: there is nothing to show.
 *
 * @throws RangeError unless 0 <= first <= second.
 */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  if (!Number.isSafeInteger(first) || first < 0 || first > second)
    throw new RangeError('merkle: expected a beginning of the tree');
  if (first === 0) return [];
  const ranges: LeafRange[] = [];
  let [from, to] = [0, second];
  let isWhole = true; // the beginning's root is then known to whoever checks
  while (to !== first) {
    const middle = from + splitOf(to - from);
    if (first <= middle) {
      ranges.unshift({ from: middle, to });
      to = middle;
    } else {
      ranges.unshift({ from, to: middle });
      from = middle;
      isWhole = false;
    }
  }
  return isWhole ? ranges : [{ from, to }, ...ranges];
}

/** The complete subtrees that a part of a tree is made of, the largest first. `from` is where the tree was split, as it always is here. */
export function subtreesOf({ from, to }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < to; ) {
    let [level, leaves] = [0, 1];
    while (leaves * 2 <= to - at) [level, leaves] = [level + 1, leaves * 2];
    subtrees.push({ level, index: at / leaves });
    at += leaves;
  }
  return subtrees;
}
