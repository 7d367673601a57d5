// Writes zeq-file.json. Everything in it follows from fixed inputs, so a second run changes nothing:
//   node docs/vectors/make-zeq-file.ts
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { canonicalJson } from '../../packages/crypto/src/index.ts';
import { writeZeqFile, zeqFileMetadata } from '../../packages/crypto/src/web/zeq-file.ts';

const ROUNDS = 100_000;
const NOW = 1_740_499_200_123;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Content for files too long to print: byte i is i mod 251. */
const counting = (length: number) => Uint8Array.from({ length }, (_x, i) => i % 251);

async function fileOf(name: string, passphrase: string, content: Uint8Array): Promise<Buffer> {
  const salt = Uint8Array.from(createHash('sha256').update(name).digest());
  const metadata = new TextEncoder().encode(canonicalJson(zeqFileMetadata(NOW)));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeZeqFile([content], passphrase, { rounds: ROUNDS, salt, metadata }))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

const whole = await Promise.all(
  [
    { name: 'empty', passphrase: 'twelve chars', content: '' },
    { name: 'short', passphrase: 'pässwörter brauchen Länge', content: 'Hello from inside a .zeq file.\n' },
    {
      name: 'decomposed',
      passphrase: 'cafe\u0301 cafe\u0301 cafe\u0301',
      content: 'typed on another machine',
    },
  ].map(async ({ name, passphrase, content }) => {
    const file = await fileOf(name, passphrase, new TextEncoder().encode(content));
    return { name, passphrase, content, file: hex(file) };
  }),
);

const long = await Promise.all(
  [65_535, 65_536, 65_537, 131_072, 200_000].map(async (bytes) => {
    const file = await fileOf(`long ${bytes}`, 'a long enough passphrase', counting(bytes));
    const sha256 = createHash('sha256').update(file).digest('hex');
    const header = 46 + file.readUInt32BE(42) + 32;
    return { bytes, passphrase: 'a long enough passphrase', header: hex(file.subarray(0, header)), sha256 };
  }),
);

writeFileSync(new URL('zeq-file.json', import.meta.url), `${JSON.stringify({ whole, long }, null, 2)}\n`);
