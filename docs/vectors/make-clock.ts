// Writes clock.json. Everything in it follows from fixed inputs, so a second run changes nothing:
//   node docs/vectors/make-clock.ts
import { createCipheriv, createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  type AttestedTick,
  attestTick,
  type Gap,
  genesisChain,
  type Head,
  headOf,
  joinPlatFields,
  keyFromSecret,
  ko42Of,
  lengthPrefixed,
  messagePlat,
  NO_PLAT,
  phaseOf,
  phaseRadians,
  platInput,
  platOf,
  SeenSet,
  type TickFacts,
  tescKeys,
  tickContentDigest,
  zeqondOf,
} from '../../packages/crypto/src/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string, length = 32) =>
  createHash('shake256', { outputLength: length }).update(text).digest();

const clock = [0, 1, 776, 777, 778, 1_740_499_200_123, 1_781_222_400_000, 4_102_444_800_000].map(
  (unix_ms) => ({
    unix_ms,
    zeqond: zeqondOf(unix_ms),
    phase: phaseOf(unix_ms),
    phaseRadians: phaseRadians(unix_ms),
    ko42: ko42Of(unix_ms),
  }),
);

const SYNC_SECRET = 'a sample sync secret for test vectors, never use it';
const platKey = keyFromSecret(SYNC_SECRET, 'zeq/sync/plat/v1');
const keys = [{ secret: SYNC_SECRET, info: 'zeq/sync/plat/v1', key: hex(platKey.export()) }];

const plats = [
  { channel: 'zeq/ticks', uid: 'genesis-node', zeqond: 2_240_024_710, previous: NO_PLAT, content: 'hello' },
  { channel: 'tsc_ä', uid: 'TESC-2345-6789-ABCD', zeqond: 1, previous: bytesOf('previous'), content: '' },
].map(({ content, ...rest }) => {
  const fields = { ...rest, contentDigest: createHash('sha256').update(content).digest() };
  return {
    ...rest,
    previous: hex(rest.previous),
    content_sha256: hex(fields.contentDigest),
    key: hex(platKey.export()),
    input: hex(platInput(fields)),
    plat: hex(platOf(platKey, fields)),
  };
});

const UID = 'genesis-node';
const seed = bytesOf('genesis seed');
const signingSeed = bytesOf('signing key');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const signingKey = createPrivateKey({
  key: Buffer.concat([PKCS8, signingSeed]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = Buffer.from(String(createPublicKey(signingKey).export({ format: 'jwk' }).x), 'base64url');
const signer = { uid: UID, platKey, signingKey, publicKey };

/** Ten ticks: a gap after the third, bytes bound into the fifth, a hold before the seventh. */
function makeTicks(): { tick: AttestedTick; digest: Buffer }[] {
  const first = 2_240_024_711;
  let head: Head = { depth: 0, zeqond: first - 1, plat: NO_PLAT, chain: genesisChain(seed, UID) };
  return Array.from({ length: 10 }, (_, index) => {
    const zeqond = first + index + (index >= 3 ? 5 : 0);
    const gap: Gap | undefined =
      index === 3
        ? { after: head.zeqond, missed: 5, reason: 'stall' }
        : index === 6
          ? { after: head.zeqond, missed: 0, reason: 'clock_back' }
          : undefined;
    const facts: TickFacts = {
      timestampMs: zeqond * 777 + index * 70,
      connections: index * 1000,
      ...(gap && { gap }),
      ...(index === 4 && { bound: bytesOf('audit root') }),
    };
    const tick = attestTick(signer, head, facts);
    head = headOf(tick);
    return { tick, digest: tickContentDigest(facts) };
  });
}
const ticks = makeTicks();

/** One field changed in the fifth tick (it carries the most), and what a verifier that holds the fourth must answer. */
const fifth = ticks[4]!.tick;
const flip = (text: string) => (text.startsWith('0') ? '1' : '0') + text.slice(1);
const tampered = [
  { field: 'type', fault: 'shape', tick: { ...fifth, type: 'tock' } },
  { field: 'zeqond', fault: 'fields', tick: { ...fifth, zeqond: fifth.zeqond + 1 } },
  { field: 'phase', fault: 'fields', tick: { ...fifth, phase: fifth.phase + 0.001 } },
  { field: 'phaseRadians', fault: 'fields', tick: { ...fifth, phaseRadians: 0 } },
  { field: 'timestamp', fault: 'fields', tick: { ...fifth, timestamp: fifth.timestamp + 0.001 } },
  { field: 'ko42', fault: 'fields', tick: { ...fifth, ko42: -fifth.ko42 } },
  { field: 'frequency', fault: 'fields', tick: { ...fifth, frequency: 1.3 } },
  { field: 'connections', fault: 'signature', tick: { ...fifth, connections: fifth.connections + 1 } },
  { field: 'bound', fault: 'signature', tick: { ...fifth, bound: flip(fifth.bound!) } },
  {
    field: 'gap',
    fault: 'signature',
    tick: { ...fifth, gap: { after: fifth.zeqond - 1, missed: 0, reason: 'stall' } },
  },
  { field: 'tesc', fault: 'unattested', tick: { ...fifth, tesc: undefined } },
  ...(['plat', 'prev', 'chain', 'sig', 'public_key'] as const).map((name) => ({
    field: `tesc.${name}`,
    fault: 'signature',
    tick: { ...fifth, tesc: { ...fifth.tesc, [name]: flip(fifth.tesc[name]) } },
  })),
  { field: 'tesc.uid', fault: 'signature', tick: { ...fifth, tesc: { ...fifth.tesc, uid: 'someone-else' } } },
  { field: 'tesc.depth', fault: 'signature', tick: { ...fifth, tesc: { ...fifth.tesc, depth: 6 } } },
];

function seenCases() {
  const seen = new SeenSet();
  const steps: [zeqond: number, value: string, present: number][] = [
    [100, 'a', 100],
    [100, 'a', 100],
    [99, 'b', 100],
    [101, 'c', 100],
    [98, 'd', 100],
    [102, 'e', 100],
    [101, 'c', 102],
    [100, 'a', 102],
    [102, 'e', 102],
    [100, 'f', 100],
  ];
  return steps.map(([zeqond, value, present]) => ({
    zeqond,
    value,
    present,
    answer: seen.admit(zeqond, value, present),
  }));
}

async function tescCase() {
  const channel = 'tsc_0123456789ABCDEFGHIJKL';
  const secret = 'correct horse battery staple and then some';
  const { plat, content } = await tescKeys(secret, channel);
  const join = { channel, uid: 'TESC-2345-6789-ABCD', zeqond: 2_240_024_710, previous: NO_PLAT };
  const joinPlat = platOf(plat, joinPlatFields(join));
  const place = { ...join, zeqond: join.zeqond + 1, previous: joinPlat };
  const iv = bytesOf('iv', 12);
  const text = 'Meet me in this moment.';
  const aad = lengthPrefixed('zeq/tesc/message/v1', channel, place.uid, u64(place.zeqond), place.previous);
  const cipher = createCipheriv('aes-256-gcm', content, iv, { authTagLength: 16 }).setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return {
    secret,
    channel,
    plat_key: hex(plat.export()),
    content_key: hex(content.export()),
    join: { uid: join.uid, zeqond: join.zeqond, plat: hex(joinPlat) },
    message: {
      uid: place.uid,
      zeqond: place.zeqond,
      previous: hex(place.previous),
      text,
      aad: hex(aad),
      iv: hex(iv),
      ciphertext: hex(ciphertext),
      plat: hex(messagePlat({ plat, content }, place, { iv, ciphertext })),
    },
  };
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const vectors = {
  clock,
  keys,
  plats,
  chain: { uid: UID, seed: hex(seed), genesis: hex(genesisChain(seed, UID)) },
  signing: { seed: hex(signingSeed), public_key: hex(publicKey) },
  ticks: ticks.map(({ tick, digest }) => ({ tick, content_sha256: hex(digest) })),
  tampered,
  seen: seenCases(),
  tesc: await tescCase(),
};
writeFileSync(new URL('clock.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
