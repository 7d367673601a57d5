import { AUDIT_HEAD_LABEL, type AuditEntry, type AuditHead, type AuditPageLeaf } from '../audit-shape.ts';
import { canonicalJson } from '../canonical.ts';
import { bigEndian, bytesOfHex, concatBytes, hexOf, utf8Bytes } from '../encoding.ts';
import type { Tick } from '../tick-shape.ts';
import { leafIsIncluded, type MerkleRoot, merkleLeafOnWeb, treeHasGrown } from './merkle-proof.ts';
import { sha256OnWeb } from './sha256.ts';

/**
 * What can be wrong with an entry. `shape`: it is none. `page`: the call is not among those of its page, or not under its number.
 * `log`: the log does not hold it, or not in this place.
 */
export type AuditFault = 'shape' | 'page' | 'log';

/** Checks that the log holds an entry, word for word. Whether the head itself can be believed is `tickBindsHead`'s question. */
export async function checkAuditEntry(entry: AuditEntry, head: AuditHead): Promise<AuditFault | undefined> {
  try {
    if (entry.kind === 'call' && !(await pageHolds(entry))) return 'page';
    const leaf = entry.kind === 'call' ? entry.page : entry.change;
    const hash = await merkleLeafOnWeb(canonicalJson(leaf));
    return (await leafIsIncluded(hash, entry.leaf, rootOf(head), pathOf(entry.path))) ? undefined : 'log';
  } catch (err) {
    if (err instanceof TypeError || err instanceof RangeError) return 'shape'; // no hex, or nothing that JSON can say
    throw err;
  }
}

async function pageHolds({ call, number, page, page_path: path }: AuditEntry & { kind: 'call' }) {
  const hash = await merkleLeafOnWeb(canonicalJson(call));
  return leafIsIncluded(hash, number - page.first, pageRoot(page), pathOf(path));
}

/** Whether a tick binds this head. It counts for as much as the tick does: see `checkTickOnWeb`. */
export const tickBindsHead = async ({ bound }: Pick<Tick, 'bound'>, head: AuditHead): Promise<boolean> =>
  bound === (await auditHeadDigestOnWeb(head));

/** What a tick binds, hex: see `auditHeadDigest`. */
export async function auditHeadDigestOnWeb({ size, root }: AuditHead): Promise<string> {
  const digest = sha256OnWeb(concatBytes(utf8Bytes(AUDIT_HEAD_LABEL), bigEndian(size, 8), bytesOfHex(root)));
  return hexOf(await digest);
}

/** Checks that the log only grew between two heads: nothing that the first one held was changed or taken out. */
export const logHasGrown = (first: AuditHead, second: AuditHead, path: readonly string[]): Promise<boolean> =>
  treeHasGrown(rootOf(first), rootOf(second), pathOf(path));

const rootOf = ({ size, root }: AuditHead): MerkleRoot => ({ size, root: bytesOfHex(root) });
const pageRoot = ({ calls, root }: AuditPageLeaf): MerkleRoot => ({ size: calls, root: bytesOfHex(root) });
const pathOf = (path: readonly string[]): Uint8Array[] => path.map(bytesOfHex);
