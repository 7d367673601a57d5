import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { fakeMesh, json } from './kit/fake-mesh.ts';
import { serve } from './kit/mesh-server.ts';

jest.setTimeout(180_000);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DIST = join(ROOT, 'packages/sdk/dist');
const CLI = join(DIST, 'cli/zeq.js');
const VECTORS = join(ROOT, 'docs/vectors/clock.json');
/** The Node that the machine itself has, which may be as old as 20. */
const NODE = process.env.HOST_NODE ?? (existsSync('/usr/bin/node') ? '/usr/bin/node' : process.execPath);
const KEY = 'zsm_canary4f7Q2Lw9Xv4Rt0Yp6Nm3Bc8Df5Gj1';

const run = promisify(execFile);
let folder: string;
let mesh: { url: string; close: () => Promise<void> };
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  await run(process.execPath, [join(ROOT, 'dev/build-sdk.ts')]);
  folder = await mkdtemp(join(tmpdir(), 'zeq-sdk-built-'));
  env = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: folder };
  mesh = await serve(
    fakeMesh({
      'GET /health': () => json({ status: 'ok', service: 'fake', version: '1', uptime: 1 }),
      'GET /api/zeq/session': () => json({ machine: { slug: 'alice' }, scope: 'owner', expires_at: null }),
    }).fetch,
  );
});
afterAll(async () => {
  await mesh?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe("the built command on the machine's own Node", () => {
  it('says its version, and nothing on stderr', async () => {
    const { version } = JSON.parse(await readFile(join(DIST, 'package.json'), 'utf8'));

    expect(await run(NODE, [CLI, '--version'], { env })).toEqual({ stdout: `${version}\n`, stderr: '' });
  });

  it('verifies the published ticks', async () => {
    const { ticks } = JSON.parse(await readFile(VECTORS, 'utf8')) as { ticks: { tick: object }[] };
    const file = join(folder, 'ticks.json');
    await writeFile(file, JSON.stringify(ticks.map(({ tick }) => tick)));

    const { stdout, stderr } = await run(NODE, [CLI, 'verify', 'ticks', file], { env });

    expect([stdout, stderr]).toEqual([
      expect.stringContaining(`${ticks.length} of ${ticks.length} ticks hold`),
      '',
    ]);
  });

  it('asks for a key on a terminal without showing it, and keeps it for the owner alone', async () => {
    const { stdout } = await run(
      'python3',
      ['-c', TYPE_ON_A_TERMINAL, KEY, NODE, CLI, 'login', '--url', mesh.url],
      { env },
    );

    expect(stdout).toContain('(hidden):');
    expect(stdout).toContain('as alice (owner)');
    expect(stdout).not.toContain('canary');
    const file = join(folder, 'zeq/credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(KEY);
  });

  it('encrypts and decrypts 200 MB in the memory that a small file takes, give or take a few segments', async () => {
    const [small, large] = [join(folder, 'small'), join(folder, 'large')];
    await writeFile(small, 'small');
    await writeFile(large, '');
    await truncate(large, 200_000_000);

    const [before, during] = [await peakOf('encrypt', small), await peakOf('encrypt', large)];
    const after = await peakOf('decrypt', `${large}.zeq`, '-o', `${large}.back`);

    expect((await stat(`${large}.back`)).size).toBe(200_000_000);
    expect(Math.max(during, after) - before).toBeLessThan(100_000); // KiB; the garbage of a stream, not the file
  });

  it('completes commands and options in bash', async () => {
    const script = `source <("$0" "$1" completion bash)
      complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _zeq; echo "\${COMPREPLY[*]}"; }
      complete_words zeq api; complete_words zeq apis r; complete_words zeq hite encrypt --passphrase`;

    const { stdout } = await run('bash', ['-c', script, NODE, CLI], { env });

    expect(stdout.split('\n')).toEqual(['apis', 'rm rotate', '--passphrase-file', '']);
  });

  it('runs the daemon, which says that it lives', async () => {
    const port = await freePort();
    const args = [CLI, 'daemon', '--engine', mesh.url, '--port', port, '--data-dir', join(folder, 'daemon')];
    const daemon = spawn(NODE, args, { env, stdio: 'ignore' });
    const health = await untilAnswered(`http://127.0.0.1:${port}/health`);
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');

    expect(health).toMatchObject({ status: 'ok', service: 'zeqond-daemon' });
  });
});

describe('the built library', () => {
  it("is imported by the machine's own Node, with nothing beside it", async () => {
    const script = `const { createClient } = await import(${JSON.stringify(join(DIST, 'index.js'))});
      console.log((await createClient({ url: ${JSON.stringify(mesh.url)} }).health.show()).service)`;

    expect((await run(NODE, ['--input-type=module', '-e', script])).stdout).toBe('fake\n');
  });

  it('imports nothing', async () => {
    expect(await readFile(join(DIST, 'index.js'), 'utf8')).not.toMatch(/^import |\brequire\(|import\(/m);
  });

  it.each([
    ['Node', 'nodenext', 'es2023,dom,dom.asynciterable'],
    ['a bundler', 'bundler', 'es2023,dom,dom.iterable'],
  ])('has types that a strict program for %s compiles against', async (_for, resolution, lib) => {
    const project = await mkdtemp(join(folder, 'project-'));
    await run('mkdir', ['-p', join(project, 'node_modules/@zeq')]);
    await symlink(DIST, join(project, 'node_modules/@zeq/sdk'));
    await symlink(join(ROOT, 'packages/sdk/node_modules/zod'), join(project, 'node_modules/zod'));
    await writeFile(join(project, 'package.json'), '{"type":"module"}');
    await writeFile(join(project, 'ok.ts'), TYPED);
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const options = [
      '--noEmit',
      '--strict',
      '--preserveSymlinks',
      '--target',
      'es2022',
      '--module',
      module,
      '--lib',
      lib,
      '--types',
      '',
    ];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');

    const compiled = run(process.execPath, [tsc, ...options, '--moduleResolution', resolution, 'ok.ts'], {
      cwd: project,
    });

    expect((await compiled.catch((err: { stdout: string }) => err)).stdout).toBe('');
  });
});

/** `@ts-expect-error` fails where the types are so loose that nothing is wrong. */
const TYPED = `import { createClient, ZeqError, type Tick } from '@zeq/sdk';
const mesh = createClient({ url: 'http://a', key: 'zsm_x' });
const [api] = await mesh.apis.list();
export const name: string = api!.name;
// @ts-expect-error a name is no number
export const wrong: number = api!.name;
export const ticks: Tick[] = [];
for await (const one of mesh.clock.ticks()) if ('tick' in one) ticks.push(one.tick);
export const code = (err: unknown): string | undefined => (err instanceof ZeqError ? err.code : undefined);
`;

/** Runs a command on a pseudo terminal, types a line when it is asked, and prints all that the terminal showed. */
const TYPE_ON_A_TERMINAL = `
import os, pty, sys
key, command = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
shown, typed = b"", False
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if b"(hidden):" in shown and not typed:
        typed = True
        os.write(fd, key.encode() + b"\\r")
os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
`;

/** The largest resident memory of one run, in KiB, as the kernel counted it. */
async function peakOf(...words: string[]): Promise<number> {
  const script =
    'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)';
  const [verb, ...rest] = words as [string, ...string[]];
  const command = [NODE, CLI, 'hite', verb, ...rest, ...(verb === 'encrypt' ? ['--rounds', '100000'] : [])];
  const { stdout } = await run('python3', ['-c', script, ...command], {
    env: { ...env, ZEQ_PASSPHRASE: 'a passphrase of a test' },
  });
  return Number(stdout);
}

async function freePort(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return String(port);
}

async function untilAnswered(url: string): Promise<unknown> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return answer.json();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer`);
}
