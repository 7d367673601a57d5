// Writes audit.json. Everything in it follows from fixed inputs, so a second run changes nothing:
//   node docs/vectors/make-audit.ts
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  type AuditChangeLeaf,
  type AuditEntry,
  type AuditHead,
  type AuditPageLeaf,
  attestTick,
  auditHeadDigest,
  canonicalJson,
  consistencyRanges,
  foldSubtrees,
  genesisChain,
  inclusionRanges,
  keyFromSecret,
  type LeafRange,
  MerkleTree,
  merkleLeaf,
  NO_PLAT,
  subtreesOf,
} from '../../packages/crypto/src/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string, length = 32) =>
  createHash('shake256', { outputLength: length }).update(text).digest();
const idOf = (prefix: string, letter: string) => `${prefix}_${letter.repeat(22)}`;

const MACHINE = idOf('mch', 'M');
const API = idOf('api', 'A');
const AT = 1_795_879_472_498;

const callOf = (number: number, over: object = {}) => ({
  at: AT + number * 10,
  bytes_in: 10 * number,
  bytes_out: 2 ** 40 + number,
  caller_id: idOf('key', 'k'),
  caller_name: 'first key "ü"',
  caller_prefix: 'zsm_k',
  code: null,
  duration_ms: 12.5 / number,
  kind: 'call',
  method: 'POST',
  outcome: 'ok',
  path: '/v1/chat/completions',
  request_id: `req-${number}`,
  status: 200,
  tokens_in: 5,
  tokens_out: null,
  ...over,
});

const changeOf = (number: number, over: Partial<AuditChangeLeaf>): AuditChangeLeaf => ({
  v: 1,
  kind: 'change',
  id: hex(bytesOf(`change ${number}`, 16)),
  at: new Date(AT + number * 1000).toISOString(),
  what: 'key_minted',
  machine_id: MACHINE,
  api_ids: null,
  subject_id: idOf('key', 'k'),
  by: { kind: 'owner', id: idOf('key', 'k') },
  details: {},
  ...over,
});

/** The calls of one page, what the log says of it, and the tree between the two. */
function pageOf(first: number, calls: object[], apiId = API) {
  const tree = new MerkleTree(calls.map((call) => merkleLeaf(canonicalJson(call))));
  const leaf: AuditPageLeaf = {
    v: 1,
    kind: 'calls',
    machine_id: MACHINE,
    api_id: apiId,
    first,
    calls: calls.length,
    root: hex(tree.root),
  };
  return { calls, tree, leaf };
}

const refused = { outcome: 'refused', code: 'rate_limited', status: 429, tokens_in: null };
const pages = [
  pageOf(1, [callOf(1), callOf(2), callOf(3, refused)]),
  pageOf(4, [callOf(4)]),
  pageOf(1, [callOf(9)], idOf('api', 'B')),
];
const registered = {
  api_ids: [API],
  subject_id: API,
  what: 'api_registered',
  details: { name: 'openai', credential: 'stored' },
};
const leaves: (AuditPageLeaf | AuditChangeLeaf)[] = [
  changeOf(0, { what: 'machine_created', subject_id: MACHINE, by: { kind: 'platform', id: null } }),
  changeOf(1, registered),
  pages[0]!.leaf,
  pages[2]!.leaf,
  changeOf(2, {
    what: 'rotation_started',
    machine_id: null,
    subject_id: 'kid',
    by: { kind: 'operator', id: null },
  }),
  changeOf(3, {
    ...registered,
    what: 'api_changed',
    details: { changed: ['base_url'], credential: 'dropped' },
  }),
  pages[1]!.leaf,
];

const hashes = leaves.map((leaf) => merkleLeaf(canonicalJson(leaf)));
const hashOf = (range: LeafRange) => {
  const subtrees = subtreesOf(range).map(({ level, index }) => {
    const size = 2 ** level;
    return new MerkleTree(hashes.slice(index * size, (index + 1) * size)).root;
  });
  return hex(foldSubtrees(subtrees));
};
const rootOf = (size: number) => hashOf({ from: 0, to: size });
const headOf = (size: number, zeqond: number | null = null): AuditHead => ({
  size,
  root: rootOf(size),
  zeqond,
});
const pathOf = (leaf: number, size: number) => inclusionRanges(leaf, size).map(hashOf);

const UID = 'genesis-node';
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const signingKey = createPrivateKey({
  key: Buffer.concat([PKCS8, bytesOf('signing key')]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = Buffer.from(String(createPublicKey(signingKey).export({ format: 'jwk' }).x), 'base64url');
const ZEQOND = 2_240_024_711;
const start = {
  depth: 0,
  zeqond: ZEQOND - 1,
  plat: NO_PLAT,
  chain: genesisChain(bytesOf('genesis seed'), UID),
};
const head = headOf(leaves.length, ZEQOND - 1);
const tick = attestTick(
  {
    uid: UID,
    platKey: keyFromSecret('a sample sync secret for test vectors, never use it', 'zeq/sync/plat/v1'),
    signingKey,
    publicKey,
  },
  start,
  {
    timestampMs: ZEQOND * 777,
    connections: 3,
    bound: auditHeadDigest(head.size, Buffer.from(head.root, 'hex')),
  },
);

/** The entries of API, as `GET …/audit` gives them. */
const entries: AuditEntry[] = leaves.flatMap((leaf, place): AuditEntry[] => {
  const path = pathOf(place, leaves.length);
  if (leaf.kind === 'change') return [{ kind: 'change', leaf: place, change: leaf, path }];
  if (leaf.api_id !== API) return [];
  const { calls, tree } = pages.find((page) => page.leaf === leaf)!;
  return calls.map((call, i) => ({
    kind: 'call',
    leaf: place,
    number: leaf.first + i,
    call: call as Record<string, unknown>,
    page: leaf,
    page_path: tree.path(i).map(hex),
    path,
  }));
});

const second = entries[3]! as Extract<AuditEntry, { kind: 'call' }>;
const change = entries[1]! as Extract<AuditEntry, { kind: 'change' }>;
const tampered = [
  {
    what: 'a call that was altered',
    fault: 'page',
    entry: { ...second, call: { ...second.call, bytes_out: 1 } },
  },
  { what: 'a call under another number', fault: 'page', entry: { ...second, number: second.number - 1 } },
  { what: 'a call of another page', fault: 'page', entry: { ...second, page: pages[1]!.leaf } },
  {
    what: 'a page that was altered',
    fault: 'log',
    entry: { ...second, page: { ...second.page, api_id: idOf('api', 'C') } },
  },
  { what: 'a page in another place', fault: 'log', entry: { ...second, leaf: second.leaf + 1 } },
  {
    what: 'a change that was altered',
    fault: 'log',
    entry: { ...change, change: { ...change.change, what: 'token_minted' } },
  },
  { what: 'a path that was cut', fault: 'log', entry: { ...change, path: change.path.slice(1) } },
  { what: 'no hex in a path', fault: 'shape', entry: { ...change, path: ['zz'] } },
];

const sizes = [1, 2, 3, 4, 5, 6, 7];
const vectors = {
  leaves: leaves.map((leaf, i) => ({ data: canonicalJson(leaf), hash: hex(hashes[i]!) })),
  pages: pages.map(({ calls, tree, leaf }) => ({
    calls: calls.map((call) => canonicalJson(call)),
    root: leaf.root,
    paths: calls.map((_, i) => tree.path(i).map(hex)),
  })),
  heads: [0, ...sizes].map((size) => ({
    size,
    root: rootOf(size),
    digest: hex(auditHeadDigest(size, Buffer.from(rootOf(size), 'hex'))),
  })),
  inclusion: sizes.flatMap((size) =>
    Array.from({ length: size }, (_, leaf) => ({ leaf, size, path: pathOf(leaf, size) })),
  ),
  consistency: sizes.flatMap((size) =>
    Array.from({ length: size }, (_, i) => ({
      first: i + 1,
      second: size,
      path: consistencyRanges(i + 1, size).map(hashOf),
    })),
  ),
  answer: { api_id: API, head, entries, next: null },
  tick,
  tampered,
};

writeFileSync(new URL('./audit.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
