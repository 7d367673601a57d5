// What idle listeners of the clock cost, and how late ticks are:
//   node bench/ticks.ts [LISTENERS] [SECONDS] [ws|sse]
// It starts a sync-engine of its own (chain in files), opens the listeners from a second process, and reads both through /proc.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../dev/runtime.ts';
import { machineName, usageOf } from './proc.ts';
import { quantile } from './stats.ts';

const PORT = 14_901;
const URL_BASE = `http://127.0.0.1:${PORT}`;
const ENGINE = fileURLToPath(new URL('../services/sync-engine/src/main.ts', import.meta.url));
const SELF = fileURLToPath(import.meta.url);
const ZEQOND_MS = 777;
const MIB = 2 ** 20;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One tick, as the listeners' process saw it: from the first to the last of them, in milliseconds. */
interface Arrival {
  zeqond: number;
  count: number;
  spreadMs: number;
  sinceBorderMs: number;
}

async function measure(listeners: number, seconds: number, kind: 'ws' | 'sse'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zeq-bench-ticks-'));
  const engine = spawn(process.execPath, [...NODE_FLAGS, ENGINE], {
    env: engineEnvironment(folder),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  engine.once('exit', (code, signal) => process.stderr.write(`the engine ended (${signal ?? code})\n`));
  let client: ChildProcess | undefined;
  try {
    await untilHealthy();
    await sleep(5_000);
    const quiet = await costPerTick(engine.pid!, 10);
    client = fork(SELF, ['listen', String(listeners), kind]);
    const arrivals: Arrival[] = [];
    client.on('message', (message: Arrival) => void arrivals.push(message));
    await untilListening(listeners);
    await sleep(3_000);
    arrivals.length = 0;
    const bare = new BareTimer();
    const busy = await costPerTick(engine.pid!, seconds);
    bare.stop();
    const status = (await (await fetch(`${URL_BASE}/sync/status`)).json()) as { connections: number };
    report({
      listeners,
      seconds,
      kind,
      quiet,
      busy,
      arrivals,
      bare: bare.lateMs,
      connections: status.connections,
    });
  } finally {
    client?.kill();
    if (engine.kill()) await once(engine, 'exit');
    rmSync(folder, { recursive: true });
  }
}

interface Cost {
  cpuMsPerTick: number;
  /** Resident memory at the end. */
  rssMib: number;
  /** The same once a minute, for long runs. */
  rssMinutes: number[];
}

async function costPerTick(pid: number, seconds: number): Promise<Cost> {
  const before = usageOf([pid]);
  const startedAt = performance.now();
  const rssMinutes: number[] = [];
  for (let left = seconds; left > 0; left -= 60) {
    await sleep(Math.min(60, left) * 1000);
    rssMinutes.push(usageOf([pid]).rssBytes / MIB);
  }
  const after = usageOf([pid]);
  const ticks = (performance.now() - startedAt) / ZEQOND_MS;
  return {
    cpuMsPerTick: (after.cpuUs - before.cpuUs) / 1000 / ticks,
    rssMib: after.rssBytes / MIB,
    rssMinutes,
  };
}

function report(found: {
  listeners: number;
  seconds: number;
  kind: string;
  quiet: Cost;
  busy: Cost;
  arrivals: Arrival[];
  bare: number[];
  connections: number;
}): void {
  const { listeners, seconds, kind, quiet, busy, arrivals, bare, connections } = found;
  const figure = (value: number) => value.toFixed(1);
  const spread = arrivals.map(({ spreadMs }) => spreadMs);
  const late = arrivals.map(({ sinceBorderMs }) => sinceBorderMs);
  const whole = arrivals.filter(({ count }) => count === listeners).length;
  const each = ((busy.rssMib - quiet.rssMib) * 1024) / listeners;
  process.stdout.write(`
${machineName()}; ${listeners} listeners over ${kind} from one process on the same machine, ${seconds} s

| | |
|---|---|
| listeners still there at the end | ${connections} |
| ticks that reached every listener | ${whole} of ${arrivals.length} |
| engine's CPU per tick, no listener | ${figure(quiet.cpuMsPerTick)} ms |
| engine's CPU per tick, all listeners | ${figure(busy.cpuMsPerTick)} ms (${figure(((busy.cpuMsPerTick - quiet.cpuMsPerTick) * 1000) / listeners)} µs each) |
| engine's memory | ${figure(quiet.rssMib)} → ${figure(busy.rssMib)} MiB (${figure(each)} KiB each) |
| engine's memory after each sixth of the time | ${sixths(busy.rssMinutes).map(figure).join(', ')} MiB |
| from the first to the last listener, ms: p50 / p99 / max | ${[0.5, 0.99, 1].map((q) => figure(quantile(spread, q))).join(' / ')} |
| from the border to the first listener, ms: p50 / p99 / max | ${[0.5, 0.99, 1].map((q) => figure(quantile(late, q))).join(' / ')} |
| a bare timer to the same borders in another process, ms: p50 / p99 / max | ${[0.5, 0.99, 1].map((q) => figure(quantile(bare, q))).join(' / ')} |
`);
}

/** A timer that does nothing: how late it is, is what the machine adds to everybody. */
class BareTimer {
  readonly lateMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const border = (Math.floor(Date.now() / ZEQOND_MS) + 1) * ZEQOND_MS;
    this.#timer = setTimeout(() => {
      this.lateMs.push(Math.max(0, performance.timeOrigin + performance.now() - border));
      this.#arm();
    }, border - Date.now());
  }
}

function sixths(values: number[]): number[] {
  if (values.length < 6) return values;
  return [1, 2, 3, 4, 5, 6].map((part) => values[Math.floor((part * values.length) / 6) - 1]!);
}

/** The second process: opens the listeners, and tells of each tick when the last of them has it. */
async function listen(count: number, isEvents: boolean): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  const ticks = new Map<number, { count: number; firstAt: number; lastAt: number }>();
  const heard = (text: string) => {
    const zeqond = Number(/"zeqond":(\d+)/.exec(text)?.[1]);
    if (!Number.isFinite(zeqond)) return;
    const now = performance.timeOrigin + performance.now();
    const seen = ticks.get(zeqond) ?? { count: 0, firstAt: now, lastAt: now };
    ticks.set(zeqond, { count: seen.count + 1, firstAt: seen.firstAt, lastAt: now });
  };
  setInterval(() => {
    for (const [zeqond, { count, firstAt, lastAt }] of ticks) {
      if (performance.timeOrigin + performance.now() - lastAt < 2 * ZEQOND_MS) continue;
      ticks.delete(zeqond);
      process.send?.({
        zeqond,
        count,
        spreadMs: lastAt - firstAt,
        sinceBorderMs: firstAt - zeqond * ZEQOND_MS,
      });
    }
  }, ZEQOND_MS);
  for (let open = 0; open < count; open += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, count - open) }, () =>
        isEvents ? openEvents(heard) : openSocket(heard),
      ),
    );
}

const openEvents = (heard: (text: string) => void) =>
  new Promise<void>((resolve, reject) => {
    const asked = request(`${URL_BASE}/sync/ticks`, { agent: false }, (answer) => {
      answer.on('data', (bytes: Buffer) => heard(bytes.toString('latin1')));
      resolve();
    });
    asked.on('error', reject).end();
  });

/** A bare WebSocket that only listens: the client must not be what is measured. */
const openSocket = (heard: (text: string) => void) =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(PORT, '127.0.0.1');
    socket.on('error', reject);
    socket.once('data', () => {
      resolve();
      let rest = Buffer.alloc(0);
      socket.on('data', (bytes) => {
        rest = readFrames(Buffer.concat([rest, bytes]), (isPing, payload) => {
          if (isPing)
            socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0])); // a ping wants its pong
          else heard(payload.toString('latin1'));
        });
      });
    });
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  });

/** Whole frames of a server (no mask, under 64 KB). @returns What is not whole yet. */
function readFrames(
  bytes: Buffer<ArrayBuffer>,
  take: (isPing: boolean, payload: Buffer) => void,
): Buffer<ArrayBuffer> {
  for (let at = 0; ; ) {
    const short = bytes[at + 1];
    const head = short === 126 ? 4 : 2;
    if (short === undefined || bytes.length < at + head) return bytes.subarray(at);
    const end = at + head + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (bytes.length < end) return bytes.subarray(at);
    take(bytes[at] === 0x89, bytes.subarray(at + head, end));
    at = end;
  }
}

async function untilHealthy(): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    const answer = await fetch(`${URL_BASE}/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('the engine did not start');
}

async function untilListening(count: number): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    const { connections } = (await (await fetch(`${URL_BASE}/sync/status`)).json()) as {
      connections: number;
    };
    if (connections >= count) return;
    await sleep(100);
  }
  throw new Error('the listeners did not come');
}

const engineEnvironment = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LOG_LEVEL: 'error',
  SYNC_PORT: String(PORT),
  ZEQ_DATA_DIR: folder,
  ZEQ_SYNC_SECRET: 'a secret for this measurement only',
  ZEQ_INTERNAL_SECRET: 'another secret for this measurement',
});

if (process.argv[2] === 'listen') await listen(Number(process.argv[3]), process.argv[4] === 'sse');
else
  await measure(
    Number(process.argv[2] ?? 10_000),
    Number(process.argv[3] ?? 60),
    process.argv[4] === 'sse' ? 'sse' : 'ws',
  );
