import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalUpstream } from '../src/local-upstream.ts';
import { openReflectingUpstream } from '../src/reflecting-upstream.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { openZeq, type Zeq } from '../src/zeq.ts';
import '../src/patience.ts';

const canary = () => randomBytes(24).toString('hex').toUpperCase();
const [FIRST, SECOND] = [canary(), canary()];
const HITE_SECRET = randomBytes(32).toString('hex');

let upstream: LocalUpstream;
let mesh: TestMesh;
let zeq: Zeq;
/** Everything that any command wrote. */
const said: string[] = [];

beforeAll(async () => {
  upstream = await openReflectingUpstream();
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], { ZEQ_HITE_SECRET: HITE_SECRET }, [
    'byok-vault',
    'forwarder',
    'sync-engine',
    'gateway',
  ]);
  zeq = await openZeq();
  await zeq.ok(['login', '--url', mesh.mesh.gateway, '--hite'], {
    input: `${mesh.owner.api_key}\n${HITE_SECRET}\n`,
  });
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
  await zeq?.close();
});

async function ok(args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await zeq.run(args, { input });
  said.push(stdout, stderr);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** The same commands straight and inside the HITE channel: 19 runs, because a mesh takes 20 handshakes a minute from one address. */
describe.each([
  ['over HTTP', []],
  ['inside the HITE channel', ['--hite']],
])('zeq %s', (how, via) => {
  const name = how === 'over HTTP' ? 'plain' : 'sealed';

  it('registers an API with a header from stdin, tries it, rotates it, calls it and removes it', async () => {
    await ok(['apis', 'add', name, '--base-url', upstream.origin, ...via], `X-Canary: ${FIRST}\n`);
    const tried = JSON.parse(await ok(['apis', 'test', name, '/reflect', '--json', ...via]));
    expect(tried).toMatchObject({ ok: true, status: 200 });

    await ok(['apis', 'rotate', name, ...via], `X-Canary: ${SECOND}`);
    await ok(['call', name, '/reflect', '-X', 'PUT', '-H', 'X-Mine: yes', '-d', '{"a":1}', ...via]);

    expect(upstream.arrivals.at(-1)).toMatchObject({ method: 'PUT' });
    const arrived = JSON.stringify(upstream.arrivals);
    expect([arrived.includes(FIRST), arrived.includes(SECOND)]).toEqual([true, true]);
    expect(await ok(['apis', 'list', ...via])).toMatch(new RegExp(`\\n${name} `));
    await ok(['apis', 'rm', name, ...via]);
    expect((await zeq.run(['apis', 'show', name, ...via])).code).toBe(4);
  });

  it('mints an app token that calls, and revokes it', async () => {
    await ok(['apis', 'add', name, '--base-url', upstream.origin, ...via], `X-Canary: ${FIRST}\n`);
    const minted = JSON.parse(await ok(['tokens', 'add', name, '--expires-in', '1h', '--json', ...via]));
    const env = {
      ZEQ_URL: mesh.mesh.gateway,
      ZEQ_SLUG: mesh.owner.slug,
      ZEQ_KEY: minted.token,
      ZEQ_HITE_SECRET: HITE_SECRET,
    };

    const called = await zeq.run(['call', name, '/reflect', ...via], { env });
    expect(called.code).toBe(0);
    const listed = await zeq.run(['apis', 'list', ...via], { env });
    expect([listed.code, listed.stderr]).toEqual([4, expect.stringContaining('forbidden')]);
    await ok(['tokens', 'rm', name, minted.app_token.id, ...via]);
    await ok(['apis', 'rm', name, ...via]);
  });

  it("gives the exit code of the upstream's status, and says when the mesh itself refused", async () => {
    await ok(['apis', 'add', name, '--base-url', upstream.origin, ...via], `X-Canary: ${FIRST}\n`);

    const theirs = await zeq.run(['call', name, '/status/503', ...via]);
    const ours = await zeq.run(['call', 'unknown', '/', ...via]);
    said.push(theirs.stdout, theirs.stderr, ours.stdout, ours.stderr);

    expect([theirs.code, theirs.stderr]).toEqual([5, '']);
    expect([ours.code, ours.stderr]).toEqual([4, expect.stringContaining('the mesh says no')]);
    await ok(['apis', 'rm', name, ...via]);
  });

  it('verifies the ticks as they come, and again from a file', async () => {
    const ticks = await ok(['ticks', '--verify', '--count', '3', '--json', ...via]);

    expect(
      ticks
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).fault),
    ).toEqual([null, null, null]);
    expect(await ok(['verify', 'ticks', '-'], ticks)).toContain('3 of 3 ticks hold');
  });
});

describe('zeq tesc', () => {
  it('sends a message that only the secret opens', async () => {
    const { channel, secret } = JSON.parse(await ok(['tesc', 'create', '--json']));
    const file = join(zeq.folder, 'secret');
    await writeFile(file, secret);
    await ok(['tesc', 'send', channel.id, 'first', '--secret-file', file]);
    await ok(['tesc', 'send', channel.id, '--secret-file', file], 'second, from stdin\n');

    const lines = (await ok(['tesc', 'recv', channel.id, '--secret-file', file])).trim().split('\n');
    expect(lines.map((line) => line.split('  ')[2])).toEqual(['first', 'second, from stdin']);
    const kept = await ok(['tesc', 'recv', channel.id, '--secret-file', file, '--json']);
    const env = { ZEQ_TESC_SECRET: secret };
    expect((await zeq.run(['verify', 'plat', '-'], { input: kept, env })).code).toBe(0);
    const tampered = kept.replace(
      /"ciphertext":"(.)/,
      (_, first) => `"ciphertext":"${first === 'A' ? 'B' : 'A'}`,
    );
    expect((await zeq.run(['verify', 'plat', '-'], { input: tampered, env })).code).toBe(6);
  });
});

describe('credentials given to zeq', () => {
  it('stand on no command line, in no output and in no file that it keeps', async () => {
    const files = await readdir(zeq.folder, { recursive: true, withFileTypes: true });
    const kept = await Promise.all(
      files
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')),
    );
    const everywhere = [...zeq.commandLines, ...said, ...kept].join('\n');

    expect([FIRST, SECOND].filter((secret) => everywhere.includes(secret))).toEqual([]);
    expect(zeq.commandLines.join('\n')).not.toContain(mesh.owner.api_key);
    expect(kept.filter((text) => text.includes(mesh.owner.api_key))).toHaveLength(1); // credentials.json
  });
});
