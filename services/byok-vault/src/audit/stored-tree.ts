import { foldSubtrees, type LeafRange, subtreesOf } from '@zeq/crypto';
import type { AuditStore } from '../store/audit-store.ts';

/** The hashes (hex) of parts of the log, from the complete subtrees that are kept; each of those is read once. */
export async function hashesOf(audit: AuditStore, ranges: readonly LeafRange[]): Promise<string[]> {
  if (ranges.length === 0) return [];
  const parts = ranges.map((range) => subtreesOf(range).map((subtree) => ({ subtree, key: keyOf(subtree) })));
  const wanted = new Map(parts.flat().map(({ key, subtree }) => [key, subtree]));
  const hashes = await audit.hashes([...wanted.values()]);
  const found = new Map([...wanted.keys()].map((key, i) => [key, hashes[i]!]));
  return parts.map((part) => foldSubtrees(part.map(({ key }) => found.get(key)!)).toString('hex'));
}

const keyOf = ({ level, index }: { level: number; index: number }): string => `${level} ${index}`;
