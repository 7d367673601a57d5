// What the room for young objects costs and saves: one mesh for each size, visited one after the other, the order changing from round
// to round (Linux, nginx, wrk, taskset):
//   node bench/young-space.ts [SIZES, MiB: 1 4 8 16 32 64] [--rounds 5] [--seconds 4]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMesh } from './mesh.ts';
import { chatRequest } from './messages.ts';
import { nginxUpstream } from './nginx.ts';
import { machineName, usageOf } from './proc.ts';
import { freePorts, startProcess, stopAllProcesses } from './processes.ts';
import { quantile } from './stats.ts';
import { runWrk } from './wrk.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
});
const CLIENT_CPU = '1';
const CONNECTIONS = 16;
/** Code is still being compiled in the first visits. */
const WARM_UP_ROUNDS = 2;
const MIB = 2 ** 20;
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Contender {
  size: number;
  mesh: Awaited<ReturnType<typeof startMesh>>;
  /** CPU µs per call of gateway, forwarder and vault, visit by visit. */
  costs: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'zeq-young-'));
try {
  const [port] = (await freePorts(1)) as [number];
  await startProcess({ command: nginxUpstream(folder, port), cpus: CLIENT_CPU, port });
  const contenders: Contender[] = [];
  for (const size of positionals.length > 0 ? positionals.map(Number) : [1, 4, 8, 16, 32, 64]) {
    const nodeOptions = [`--max-semi-space-size=${size}`]; // behind the launcher's own: the last one counts
    const mesh = await startMesh({ json: port, sse: port }, { socketFile: true, nodeOptions });
    contenders.push({ size, mesh, costs: [] });
  }
  for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round += 1)
    for (const i of contenders.keys()) {
      const { mesh, costs } = contenders[(i + round + WARM_UP_ROUNDS) % contenders.length]!;
      const cost = await visit(mesh);
      if (round >= 0) costs.push(cost);
    }
  report(contenders);
  for (const { mesh } of contenders) await mesh.stop();
} finally {
  await stopAllProcesses();
  rmSync(folder, { recursive: true, force: true });
}

/** @returns CPU µs per call. */
async function visit({ json, pids }: Contender['mesh']): Promise<number> {
  const before = usageOf(pids).cpuUs;
  const load = { target: json, body: chatRequest(), connections: CONNECTIONS, cpus: CLIENT_CPU };
  const { requests, refused, broken } = await runWrk({ ...load, seconds: Number(values.seconds) });
  if (refused + broken > 0 || requests === 0) throw new Error(`${refused} were refused and ${broken} broke`);
  return (usageOf(pids).cpuUs - before) / requests;
}

function report(contenders: readonly Contender[]): void {
  say(`${machineName()}, Node ${process.versions.node}\n`);
  say('| room, MiB | CPU µs per call, median (min–max) | gateway, MiB | forwarder, MiB |');
  say('|---:|---:|---:|---:|');
  for (const { size, mesh, costs } of contenders) {
    const [low, middle, high] = [0, 0.5, 1].map((part) => Math.round(quantile(costs, part)));
    const [gateway, forwarder] = ['gateway', 'forwarder'].map((name) =>
      Math.round(usageOf([mesh.pidOf[name]!]).rssBytes / MIB),
    );
    say(`| 2 × ${size} | ${middle} (${low}–${high}) | ${gateway} | ${forwarder} |`);
  }
}
