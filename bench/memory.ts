// Memory over very many calls, gateway and forwarder as processes of their own (Linux, nginx, wrk, taskset):
//   node bench/memory.ts [--calls 1000000] [--first 100000] [--connections 16]
// Resident memory as it stands and after a collection that gives back what V8 keeps for the next ones, heap and handles: after the first
// calls and at each fifth of the rest. A million takes about six minutes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { until } from '../e2e/src/until.ts';
import { startMesh } from './mesh.ts';
import { chatRequest } from './messages.ts';
import { nginxUpstream } from './nginx.ts';
import { usageOf } from './proc.ts';
import { freePorts, startProcess, stopAllProcesses } from './processes.ts';
import { runWrk } from './wrk.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    first: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '16' },
  },
});
const CLIENT_CPU = '1';
const SLICE_SECONDS = 5;
/** Until connections that were closed are gone on both sides, and what lay idle too long is let go (ms). */
const SETTLE_MS = 17_000;
const MIB = 2 ** 20;
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Bytes, after a collection; see `resident.ts` for what program, malloc and anonymous are. */
interface Reading {
  rss: number;
  program: number;
  malloc: number;
  anonymous: number;
  /** Of the heap: what is taken for young objects. */
  young: number;
  heapUsed: number;
  external: number;
  handles: number;
}

const folder = mkdtempSync(join(tmpdir(), 'zeq-memory-'));
const probe = join(folder, 'probe');
try {
  const [port] = (await freePorts(1)) as [number];
  await startProcess({ command: nginxUpstream(join(folder, 'nginx'), port), cpus: CLIENT_CPU, port });
  const mesh = await startMesh(
    { json: port, sse: port },
    {
      socketFile: true,
      nodeOptions: ['--expose-gc', '--import', fileURLToPath(new URL('./memory-probe.ts', import.meta.url))],
      env: { ZEQ_MEMORY_PROBE: probe },
    },
  );
  const pids = { gateway: mesh.pidOf.gateway!, forwarder: mesh.pidOf.forwarder! };
  let calls = 0;
  say(
    '| calls | service | resident before, MiB | resident after, MiB | program, MiB | malloc, MiB | V8 and all else, MiB | taken for young objects, MiB | heap after GC, MiB | external, MiB | handles |',
  );
  say('|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  const all = Number(values.calls);
  for (const goal of [Number(values.first), ...[1, 2, 3, 4, 5].map((fifth) => (fifth * all) / 5)]) {
    while (calls < goal) calls += await slice();
    await sleep(SETTLE_MS);
    for (const [service, pid] of Object.entries(pids)) {
      const before = usageOf([pid]).rssBytes;
      row(calls, service, before, await read(pid));
    }
  }
  await mesh.stop();

  async function slice(): Promise<number> {
    const connections = Number(values.connections);
    const load = {
      target: mesh.json,
      body: chatRequest(),
      connections,
      seconds: SLICE_SECONDS,
      cpus: CLIENT_CPU,
    };
    const { requests, refused, broken } = await runWrk(load);
    if (refused + broken > 0 || requests === 0)
      throw new Error(`${refused} were refused and ${broken} broke`);
    return requests;
  }
} finally {
  await stopAllProcesses();
  rmSync(folder, { recursive: true, force: true });
}

/** Two collections: what the first one finds to be finalized, the second one frees. */
async function read(pid: number): Promise<Reading> {
  const file = `${probe}.${pid}`;
  const lines = () => {
    try {
      return readFileSync(file, 'utf8').trim().split('\n');
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw err;
    }
  };
  for (let again = 0; again < 2; again += 1) {
    const before = lines().length;
    process.kill(pid, 'SIGUSR2');
    await until(() => lines().length > before, 30_000);
  }
  return JSON.parse(lines().at(-1)!) as Reading;
}

function row(calls: number, service: string, before: number, reading: Reading): void {
  const { rss, program, malloc, anonymous, young, heapUsed, external, handles } = reading;
  const mib = [before, rss, program, malloc, anonymous, young, heapUsed, external].map((bytes) =>
    (bytes / MIB).toFixed(1),
  );
  say(`| ${[calls, service, ...mib, handles].join(' | ')} |`);
}
