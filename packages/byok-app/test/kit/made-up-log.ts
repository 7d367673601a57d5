import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ActivityEntry, AuditEntry, AuditGrowth, AuditHead, AuditPage } from '@zeq/contracts';
import {
  type AttestedTick,
  type AuditChangeLeaf,
  type AuditPageLeaf,
  attestTick,
  auditHeadDigest,
  canonicalJson,
  consistencyRanges,
  type Head,
  MerkleTree,
  merkleLeaf,
  type TickSigner,
  ZEQOND_MS,
} from '@zeq/crypto';
import { madeUpCall } from './made-up.ts';

export const API = 'api_madeup';
const MACHINE = 'mch_madeup';
const FIRST_ZEQOND = 2_300_000_000;
const NOW = FIRST_ZEQOND * ZEQOND_MS;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** An audit log and its clock, as a mesh keeps them: for proofs that hold, and for forging them. */
export class MadeUpLog {
  readonly signer = newSigner();
  readonly #leaves: { data: AuditPageLeaf | AuditChangeLeaf; calls: ActivityEntry[] }[] = [];
  #head: Head = {
    depth: 7,
    zeqond: FIRST_ZEQOND,
    plat: Buffer.alloc(32, 1),
    chain: Buffer.alloc(32, 2),
  };

  /** Appends calls that were reported together, as the activity shows them. */
  addCalls(...numbers: number[]): this {
    const calls = numbers.map((number) => madeUpCall(number, 100, NOW));
    const { root } = treeOf(calls.map(hashed));
    const data = {
      v: 1 as const,
      kind: 'calls' as const,
      machine_id: MACHINE,
      api_id: API,
      first: numbers[0]!,
      calls: calls.length,
      root: hex(root),
    };
    this.#leaves.push({ data, calls });
    return this;
  }

  addChange(part: Partial<AuditChangeLeaf> = {}): this {
    const data: AuditChangeLeaf = {
      v: 1,
      kind: 'change',
      id: hex(randomBytes(16)),
      at: new Date(NOW).toISOString(),
      what: 'api_changed',
      machine_id: MACHINE,
      api_ids: [API],
      subject_id: API,
      by: { kind: 'owner', id: 'key_1' },
      details: {},
      ...part,
    };
    this.#leaves.push({ data, calls: [] });
    return this;
  }

  head(zeqond: number | null = FIRST_ZEQOND): AuditHead {
    return { size: this.#leaves.length, root: hex(this.#tree().root), zeqond };
  }

  /** All of it, or one call, with its proofs. */
  page(number?: number): AuditPage {
    const entries = this.#leaves.flatMap((_, leaf) => this.#entriesOf(leaf));
    const chosen = entries.filter(
      (entry) => number === undefined || (entry.kind === 'call' && entry.number === number),
    );
    return structuredClone({ api_id: API, head: this.head(), entries: chosen, next: null });
  }

  growth(since: number): AuditGrowth | undefined {
    const head = this.head();
    if (since > head.size) return undefined;
    const leaves = this.#leaves.map(({ data }) => merkleLeaf(canonicalJson(data)));
    const ranges = consistencyRanges(since, head.size);
    return { head, path: ranges.map(({ from, to }) => hex(new MerkleTree(leaves.slice(from, to)).root)) };
  }

  /** The next tick of the clock. @param head What it binds. */
  tick(head: AuditHead = this.head(), signer = this.signer): AttestedTick {
    const zeqond = this.#head.zeqond + 1;
    const bound = auditHeadDigest(head.size, Buffer.from(head.root, 'hex'));
    const facts = { timestampMs: zeqond * ZEQOND_MS + 5, connections: 0, bound };
    const tick = attestTick(signer, this.#head, facts);
    const { depth, plat, chain } = tick.tesc;
    this.#head = { depth, zeqond, plat: Buffer.from(plat, 'hex'), chain: Buffer.from(chain, 'hex') };
    return tick;
  }

  #tree = (): MerkleTree => treeOf(this.#leaves.map(({ data }) => data));

  #entriesOf(leaf: number): AuditEntry[] {
    const { data, calls } = this.#leaves[leaf]!;
    const rest = { leaf, recorded_at: new Date(NOW).toISOString(), path: this.#tree().path(leaf).map(hex) };
    if (data.kind === 'change') return [{ kind: 'change', change: data, ...rest } as AuditEntry];
    const tree = treeOf(calls.map(hashed));
    return calls.map((call, i) => ({
      kind: 'call',
      number: data.first + i,
      call: hashed(call),
      page: data,
      page_path: tree.path(i).map(hex),
      ...rest,
    }));
  }
}

const treeOf = (data: readonly unknown[]): MerkleTree =>
  new MerkleTree(data.map((each) => merkleLeaf(canonicalJson(each))));

export function newSigner(): TickSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    uid: 'made-up',
    platKey: createSecretKey(randomBytes(32)),
    signingKey: privateKey,
    publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'),
  };
}

/** A call as the mesh hashes it. */
const hashed = (shown: ActivityEntry) => ({
  at: Date.parse(shown.at),
  kind: shown.kind,
  caller_id: shown.caller.id,
  caller_name: shown.caller.name,
  caller_prefix: shown.caller.prefix,
  method: shown.method,
  path: shown.path,
  status: shown.status ?? 0,
  outcome: shown.outcome,
  code: shown.code,
  duration_ms: shown.duration_ms,
  bytes_in: shown.bytes_in,
  bytes_out: shown.bytes_out,
  tokens_in: shown.tokens_in,
  tokens_out: shown.tokens_out,
  request_id: shown.request_id,
});

/** A call of the log as the activity shows it. */
export const shownCall = (number: number): ActivityEntry => madeUpCall(number, 100, NOW);
