import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChainPage } from '@zeq/contracts';
import { TickVerifier } from '@zeq/crypto';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('a lone engine that is killed', () => {
  it('goes on where its chain stands, states what is missing, and loses nothing that was shown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zeq-restart-test-'));
    const port = await freePort();
    let child: ChildProcess | undefined;
    let shown: ChainPage | undefined;
    for (let life = 0; life < 3; life += 1) {
      child = spawn(process.execPath, [MAIN], {
        env: environment(folder, port),
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const before = shown?.head.depth ?? 0;
      do {
        await sleep(100);
        shown = await chainOf(port);
      } while ((shown?.head.depth ?? 0) < before + 2);
      const exited = once(child, 'exit');
      if (life < 2) child.kill('SIGKILL');
      else child.kill('SIGTERM');
      const [code, signal] = await exited;
      expect(life < 2 ? signal : code).toBe(life < 2 ? 'SIGKILL' : 0);
    }

    const verifier = new TickVerifier();
    const { ticks, head } = shown!;
    expect(ticks.map((tick) => verifier.accept(tick)).filter((fault) => fault !== undefined)).toEqual([]);
    expect(ticks).toHaveLength(head.depth);
    expect(ticks.filter(({ gap }) => gap?.reason === 'restart')).toHaveLength(2);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('does not start beside a mistake in its settings, and names each', async () => {
    const env = {
      PATH: process.env.PATH,
      SYNC_PORT: '0',
      ZEQ_SYNC_SECRET: 'short',
      ZEQ_SYNC_SIGNING_KEY: 'xyz',
    };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (bytes) => {
      text += bytes;
    });
    const [code] = await once(child, 'exit');

    expect(code).toBe(1);
    for (const name of ['SYNC_PORT', 'ZEQ_SYNC_SECRET', 'ZEQ_SYNC_SIGNING_KEY', 'ZEQ_INTERNAL_SECRET'])
      expect(text).toContain(`  ${name} `);
    expect(text).not.toContain('short\n');
    expect(text).not.toContain('xyz');
  }, 30_000);
});

async function chainOf(port: number): Promise<ChainPage | undefined> {
  try {
    const res = await fetch(`http://127.0.0.1:${port}/sync/chain`);
    return res.ok ? ((await res.json()) as ChainPage) : undefined; // 503 until the store is open
  } catch {
    return undefined; // not listening yet
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const environment = (folder: string, port: number): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LOG_LEVEL: 'error',
  SYNC_PORT: String(port),
  ZEQ_DATA_DIR: folder,
  ZEQ_SYNC_SECRET: 'a secret for this test, 32 chars or more',
  ZEQ_INTERNAL_SECRET: 'another secret for this test, 32 chars',
});
