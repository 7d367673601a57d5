import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AttestedTick, TickVerifier, zeqondStartMs } from '@zeq/crypto';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const ENGINES = 3;
const SETTLE_MS = 1_200;
/** A loaded machine takes its time to load the code; the engines that live make the ticks meanwhile. */
const START_MS = 120_000;

export interface KillOptions {
  databaseUrl: string;
  kills: number;
  seed: number;
  onProgress?: (line: string) => void;
  /** How the leader is hurt: killed, or stopped for a while and then continued. */
  how: 'kill' | 'freeze';
}

export interface KillReport {
  /** From the kill until the next tick was seen by a listener of another engine, in milliseconds, in order. */
  takeoverMs: number[];
  ticks: number;
  /** Zeqonds without a tick per kill. */
  missed: number[];
  /** What a verifier found wrong with the stored chain, and with what listeners were shown. */
  faults: string[];
  /** Ticks that some listener was shown and the chain does not hold. */
  lost: number;
}

/** Three engines on one PostgreSQL; the leader is hurt again and again at random moments, under listeners, and then the chain is checked. */
export async function hurtLeaders({
  databaseUrl,
  kills,
  seed,
  how,
  onProgress,
}: KillOptions): Promise<KillReport> {
  const random = randomFrom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'zeq-kills-'));
  const env = environment(databaseUrl, folder, `kills-${seed}-${how}-${process.pid}`);
  const engines = await Promise.all(
    Array.from({ length: ENGINES }, async () => EngineProcess.start(env, await freePort())),
  );
  const report: KillReport = { takeoverMs: [], ticks: 0, missed: [], faults: [], lost: 0 };
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(SETTLE_MS + random() * 800);
      report.takeoverMs.push(await hurtOnce(engines, env, how));
      onProgress?.(`${kill + 1}/${kills}: ${report.takeoverMs.at(-1)} ms`);
    }
    await sleep(2_000);
    await checkChain(engines, report);
  } finally {
    await Promise.all(engines.map((engine) => engine.end()));
    await rm(folder, { recursive: true });
  }
  return report;
}

/** @returns How long it took until a listener of another engine was shown a tick that was made after the kill. */
async function hurtOnce(
  engines: EngineProcess[],
  env: NodeJS.ProcessEnv,
  how: 'kill' | 'freeze',
): Promise<number> {
  const leader = await leaderOf(engines);
  const others = engines.filter((engine) => engine !== leader);
  const at = Date.now();
  leader.hurt(how === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  const next = await Promise.race(others.map((engine) => engine.nextTickAfter(at)));
  if (how === 'freeze') {
    await sleep(4_000);
    leader.hurt('SIGCONT');
    await sleep(1_500);
  } else {
    const index = engines.indexOf(leader);
    engines[index] = await EngineProcess.start(env, leader.port, leader.shown);
  }
  return next - at;
}

async function leaderOf(engines: EngineProcess[]): Promise<EngineProcess> {
  for (;;) {
    for (const engine of engines) if ((await engine.role()) === 'leader') return engine;
    await sleep(20);
  }
}

async function checkChain(engines: EngineProcess[], report: KillReport): Promise<void> {
  const shown = engines.flatMap((engine) => engine.shown); // before the chain is read: what comes later need not be in it
  const chain = await engines[0]!.wholeChain();
  const verifier = new TickVerifier();
  const stored = new Map(chain.map((tick) => [tick.tesc.depth, tick.tesc.sig]));
  for (const tick of chain) {
    const fault = verifier.accept(tick);
    if (fault !== undefined) report.faults.push(`depth ${tick.tesc.depth}: ${fault}`);
    if (tick.gap) report.missed.push(tick.gap.missed);
  }
  for (const tick of shown) {
    if (stored.get(tick.tesc.depth) !== tick.tesc.sig) report.lost += 1;
  }
  report.ticks = chain.length;
}

/** One engine as a process of its own, and a listener to its ticks. */
class EngineProcess {
  readonly port: number;
  readonly shown: AttestedTick[];
  readonly #child: ChildProcess;
  readonly #stop = new AbortController();
  #waiting: ((at: number, tick: AttestedTick) => void)[] = [];

  private constructor(child: ChildProcess, port: number, shown: AttestedTick[]) {
    this.#child = child;
    this.port = port;
    this.shown = shown;
  }

  static async start(
    env: NodeJS.ProcessEnv,
    port: number,
    shown: AttestedTick[] = [],
  ): Promise<EngineProcess> {
    const child = spawn(process.execPath, [MAIN], {
      env: { ...env, SYNC_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const engine = new EngineProcess(child, port, shown);
    const startedAt = performance.now();
    while ((await engine.role()) === undefined) {
      if (child.exitCode !== null)
        throw new Error(`an engine ended at its start with code ${child.exitCode}`);
      if (performance.now() - startedAt > START_MS)
        throw new Error(`an engine did not start within ${START_MS} ms`);
      await sleep(50);
    }
    void engine.#listen();
    return engine;
  }

  async role(): Promise<string | undefined> {
    try {
      const answer = await fetch(`${this.#url}/health`, { signal: AbortSignal.timeout(500) });
      return ((await answer.json()) as { role: string }).role;
    } catch {
      return undefined; // not up yet, or hurt: the caller asks again
    }
  }

  hurt(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL') this.#stop.abort();
    this.#child.kill(signal);
  }

  /** @returns When the first tick was heard whose moment lies after `at`. */
  nextTickAfter(at: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push((heardAt, tick) => {
        if (tick.timestamp * 1000 > at && zeqondStartMs(tick.zeqond) + 777 > at) resolve(heardAt);
      });
    });
  }

  async wholeChain(): Promise<AttestedTick[]> {
    const ticks: AttestedTick[] = [];
    for (let from: number | null = 1; from !== null; ) {
      const answer = await fetch(`${this.#url}/sync/chain?from=${from}&limit=1000`);
      const page = (await answer.json()) as { ticks: AttestedTick[]; next: number | null };
      ticks.push(...page.ticks);
      from = page.next;
    }
    return ticks;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      const answer = await fetch(`${this.#url}/sync/ticks`, { signal: this.#stop.signal });
      for await (const bytes of answer.body!) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
        rest = lines.pop()!;
        for (const line of lines.filter((one) => one.startsWith('data: ')))
          this.#heard(JSON.parse(line.slice(6)));
      }
    } catch (err) {
      if (!this.#stop.signal.aborted) throw err;
    }
  }

  #heard(tick: AttestedTick): void {
    if (tick.type !== 'tick' || tick.tesc === undefined) return;
    this.shown.push(tick);
    for (const waiting of this.#waiting) waiting(Date.now(), tick);
  }
}

function environment(databaseUrl: string, folder: string, uid: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    DATABASE_URL: databaseUrl,
    ZEQ_DATA_DIR: folder,
    ZEQ_SYNC_UID: uid,
    ZEQ_SYNC_SECRET: 'a secret for the engines of this test',
    ZEQ_SYNC_SIGNING_KEY: '42'.repeat(32),
    ZEQ_INTERNAL_SECRET: 'another secret for the engines of this test',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** mulberry32: the same points again from the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
