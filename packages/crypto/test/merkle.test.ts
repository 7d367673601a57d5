import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  consistencyRanges,
  foldSubtrees,
  inclusionRanges,
  type LeafRange,
  MerkleTree,
  merkleLeaf,
  type Subtree,
  subtreesOf,
} from '../src/index.ts';
import { leafIsIncluded, treeHasGrown } from '../src/web/merkle-proof.ts';

/** The test tree of the Certificate Transparency project: eight leaves, and the root after each of them. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** RFC 6962, section 2.1, as it is written there: the measure of everything faster. */
function treeHash(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return Buffer.from(leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => merkleLeaf(`leaf ${i}`));

/** A log of which only complete subtrees are known, as the vault keeps it. */
function logOf(leaves: readonly Uint8Array[]) {
  const rootOf = ({ level, index }: Subtree) =>
    new MerkleTree(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)).root;
  const hashOf = (range: LeafRange) => foldSubtrees(subtreesOf(range).map(rootOf));
  return { root: hashOf({ from: 0, to: leaves.length }), hashOf };
}

describe('a Merkle tree', () => {
  const leaves = LEAVES.map((hex) => sha256(Buffer.of(0), Buffer.from(hex, 'hex')));

  it('has the published roots, held whole or in complete subtrees', () => {
    for (const [i, root] of ROOTS.entries()) {
      const part = leaves.slice(0, i + 1);
      expect(new MerkleTree(part).root.toString('hex')).toBe(root);
      expect(logOf(part).root.toString('hex')).toBe(root);
    }
  });

  it('has the published hash when it is empty', () => {
    expect(foldSubtrees([]).toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('hashes the empty text like the first published leaf', () => {
    expect(merkleLeaf('').toString('hex')).toBe(ROOTS[0]);
  });

  it('has the published proofs: of its leaves, and of its growth', () => {
    const { hashOf } = logOf(leaves);
    const hex = (ranges: LeafRange[]) => ranges.map((range) => hashOf(range).toString('hex'));

    expect(hex(inclusionRanges(0, 8))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(hex(inclusionRanges(2, 3))).toEqual([
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    ]);
    expect(hex(consistencyRanges(6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('is split as section 2.1 says, whatever its size', () => {
    const all = numbered(130);

    for (let size = 1; size <= all.length; size += 1) {
      const root = treeHash(all.slice(0, size));
      expect(new MerkleTree(all.slice(0, size)).root).toEqual(root);
      expect(logOf(all.slice(0, size)).root).toEqual(root);
    }
  });

  it('shows every leaf of every size, from a tree held whole and from kept subtrees alike', async () => {
    const all = numbered(70);
    const { hashOf } = logOf(all);

    for (const size of [1, 2, 3, 5, 8, 31, 32, 33, 64, 65, 70]) {
      const whole = new MerkleTree(all.slice(0, size));
      for (let leaf = 0; leaf < size; leaf += 1) {
        const path = inclusionRanges(leaf, size).map(hashOf);
        expect(path).toEqual(whole.path(leaf));
        expect(await leafIsIncluded(all[leaf]!, leaf, { size, root: whole.root }, path)).toBe(true);
      }
    }
  });

  it('shows no leaf in another place, no other leaf, and nothing by a path that is shorter, longer or altered', async () => {
    const all = numbered(40);
    const { hashOf } = logOf(all);
    await fc.assert(
      fc.asyncProperty(fc.nat(39), fc.nat(39), fc.nat(300), async (leaf, other, at) => {
        const head = { size: 40, root: treeHash(all) };
        const path = inclusionRanges(leaf, 40).map(hashOf);
        const altered = path.map((hash) => Buffer.from(hash));
        altered[at % path.length]![at % 32]! ^= 1 << (at % 8);

        expect(await leafIsIncluded(all[leaf]!, other, head, path)).toBe(leaf === other);
        expect(await leafIsIncluded(all[other]!, leaf, head, path)).toBe(leaf === other);
        expect(await leafIsIncluded(all[leaf]!, leaf, head, altered)).toBe(false);
        expect(await leafIsIncluded(all[leaf]!, leaf, head, path.slice(1))).toBe(false);
        expect(await leafIsIncluded(all[leaf]!, leaf, head, [...path, all[0]!])).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('shows that it has grown between any two of its sizes, and from nothing else', async () => {
    const all = numbered(66);
    const { hashOf } = logOf(all);
    const roots = all.map((_, i) => treeHash(all.slice(0, i + 1)));
    const forged = treeHash(numbered(67).toSpliced(0, 1));

    for (let second = 1; second <= all.length; second += 1)
      for (let first = 1; first <= second; first += 1) {
        const path = consistencyRanges(first, second).map(hashOf);
        const [one, two] = [first, second].map((size) => ({ size, root: roots[size - 1]! })) as [
          never,
          never,
        ];
        expect(await treeHasGrown(one, two, path)).toBe(true);
        expect(await treeHasGrown({ size: first, root: forged }, two, path)).toBe(false);
        expect(await treeHasGrown(one, { size: second, root: forged }, path)).toBe(false);
        expect(await treeHasGrown(one, two, [...path, forged])).toBe(false);
        if (path.length > 0) expect(await treeHasGrown(one, two, path.slice(0, -1))).toBe(false);
      }
  });

  it('never shows growth after a leaf of the beginning was changed, taken out or put in', async () => {
    const all = numbered(48);
    const changes = {
      changed: (at: number) => all.toSpliced(at, 1, merkleLeaf('another')),
      'taken out': (at: number) => all.toSpliced(at, 1),
      'put in': (at: number) => all.toSpliced(at, 0, merkleLeaf('another')),
    };
    const first = { size: 30, root: treeHash(all.slice(0, 30)) };

    for (const alter of Object.values(changes))
      for (let at = 0; at < 30; at += 1) {
        const rewritten = alter(at);
        const { hashOf } = logOf(rewritten);
        const second = { size: rewritten.length, root: treeHash(rewritten) };
        expect(await treeHasGrown(first, second, consistencyRanges(30, rewritten.length).map(hashOf))).toBe(
          false,
        );
      }
  });

  it('knows sizes beyond 32 bits', async () => {
    const size = 2 ** 40 + 3;
    const leaf = merkleLeaf('the last one');
    const path = inclusionRanges(size - 1, size).map((_, i) => merkleLeaf(`sibling ${i}`));
    const root = path.reduce((right, left) => sha256(Buffer.of(1), left, right), leaf);

    expect(await leafIsIncluded(leaf, size - 1, { size, root }, path)).toBe(true);
    expect(path).toHaveLength(2);
  });

  it('refuses to show what it does not have', async () => {
    expect(() => inclusionRanges(3, 3)).toThrow(RangeError);
    expect(() => inclusionRanges(-1, 3)).toThrow(RangeError);
    expect(() => consistencyRanges(4, 3)).toThrow(RangeError);
    expect(() => new MerkleTree([])).toThrow(RangeError);
    expect(
      await treeHasGrown({ size: 0, root: foldSubtrees([]) }, { size: 2, root: merkleLeaf('') }, []),
    ).toBe(true);
  });
});
