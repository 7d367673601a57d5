import { readFileSync } from 'node:fs';
import { type AuditEntry, type AuditHead, auditHeadDigest, merkleLeaf, type Tick } from '../src/index.ts';
import {
  auditHeadDigestOnWeb,
  checkAuditEntry,
  checkTickOnWeb,
  logHasGrown,
  tickBindsHead,
} from '../src/web/index.ts';

interface AuditVectors {
  leaves: { data: string; hash: string }[];
  heads: (Omit<AuditHead, 'zeqond'> & { digest: string })[];
  consistency: { first: number; second: number; path: string[] }[];
  answer: { head: AuditHead; entries: AuditEntry[] };
  tick: Tick;
  tampered: { what: string; fault: string; entry: AuditEntry }[];
}

const { leaves, heads, consistency, answer, tick, tampered }: AuditVectors = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/audit.json', import.meta.url), 'utf8'),
);
const headOf = (size: number): AuditHead => ({ ...heads[size]!, zeqond: null });

describe('docs/vectors/audit.json', () => {
  it('has the hashes of its leaves and the digests of its heads', async () => {
    expect(leaves.map(({ data }) => merkleLeaf(data).toString('hex'))).toEqual(
      leaves.map(({ hash }) => hash),
    );
    for (const { size, root, digest } of heads) {
      expect(auditHeadDigest(size, Buffer.from(root, 'hex')).toString('hex')).toBe(digest);
      expect(await auditHeadDigestOnWeb({ size, root, zeqond: null })).toBe(digest);
    }
  });

  it('holds every entry of the answer, and the tick binds its head', async () => {
    const faults = await Promise.all(answer.entries.map((entry) => checkAuditEntry(entry, answer.head)));

    expect(faults).toEqual(answer.entries.map(() => undefined));
    expect([await checkTickOnWeb(tick), await tickBindsHead(tick, answer.head)]).toEqual([undefined, true]);
    expect(await tickBindsHead(tick, { ...answer.head, size: answer.head.size + 1 })).toBe(false);
    expect(await tickBindsHead({}, answer.head)).toBe(false);
  });

  it.each(tampered)('does not hold $what', async ({ entry, fault }) => {
    expect(await checkAuditEntry(entry, answer.head)).toBe(fault);
  });

  it('shows that its heads grew from each other, in one direction', async () => {
    for (const { first, second, path } of consistency) {
      expect(await logHasGrown(headOf(first), headOf(second), path)).toBe(true);
      expect(await logHasGrown(headOf(second), headOf(first), path)).toBe(first === second);
    }
  });
});
