// Where gateway and forwarder spend their time under load, after they have warmed up.
//
//   node bench/profile.ts        prints the shares; the profiles stay in bench/out/profiles for a viewer
import { mkdirSync, readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startMesh } from './mesh.ts';
import { chatRequest } from './messages.ts';
import { nginxUpstream } from './nginx.ts';
import { freePorts, startProcess, stopAllProcesses } from './processes.ts';
import { runWrk } from './wrk.ts';

const OUT = fileURLToPath(new URL('./out/', import.meta.url));
const PROFILES = join(OUT, 'profiles');
const HOOK = fileURLToPath(new URL('./profile-hook.ts', import.meta.url));
const WARM_UP_SECONDS = 12;
const SECONDS = 6;
const CLIENT_CPU = '1';

try {
  mkdirSync(PROFILES, { recursive: true });
  const [json] = (await freePorts(1)) as [number];
  await startProcess({ command: nginxUpstream(join(OUT, 'upstream'), json), cpus: CLIENT_CPU, port: json });
  const mesh = await startMesh(
    { json, sse: json },
    { nodeOptions: ['--import', HOOK], env: { PROFILE_DIR: PROFILES } },
  );
  const load = (seconds: number) =>
    runWrk({ target: mesh.json, body: chatRequest(), connections: 16, seconds, cpus: CLIENT_CPU });
  const profiled = Object.entries(mesh.pidOf).filter(([name]) => name !== 'byok-vault');

  await load(WARM_UP_SECONDS);
  for (const [, pid] of profiled) process.kill(pid, 'SIGUSR2');
  await load(SECONDS);
  for (const [, pid] of profiled) process.kill(pid, 'SIGUSR2');
  await sleep(3_000);
  for (const [name, pid] of profiled) report(name, join(PROFILES, `${pid}.cpuprofile`));
  await mesh.stop();
} finally {
  await stopAllProcesses();
}

/** Self time by module and by function, as shares of the busy time. */
function report(name: string, path: string): void {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Profiler.Profile;
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const byModule = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busyUs = 0;
  for (const [i, id] of profile.samples!.entries()) {
    const frame = frames.get(id)!;
    if (frame.functionName === '(idle)' || frame.url === 'node:inspector') continue; // the profiler's own work
    const us = profile.timeDeltas![i]!;
    busyUs += us;
    add(byModule, moduleOf(frame), us);
    add(
      byFunction,
      `${frame.functionName || '(anonymous)'}  ${shortPath(frame.url)}:${frame.lineNumber + 1}`,
      us,
    );
  }
  process.stdout.write(`\n${name}: busy ${(busyUs / 1e6).toFixed(2)} s of ${SECONDS} s (${path})\n`);
  print(byModule, busyUs, 20);
  process.stdout.write('by function\n');
  print(byFunction, busyUs, 30);
}

function add(sums: Map<string, number>, key: string, us: number): void {
  sums.set(key, (sums.get(key) ?? 0) + us);
}

function print(sums: Map<string, number>, total: number, count: number): void {
  for (const [key, us] of [...sums].sort((a, b) => b[1] - a[1]).slice(0, count))
    process.stdout.write(`${((100 * us) / total).toFixed(1).padStart(6)} %  ${key}\n`);
}

function moduleOf({ url, functionName }: { url: string; functionName: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : `builtin ${functionName}`;
  if (url.includes('/services/') || url.includes('/packages/')) return `ours: ${shortPath(url)}`;
  const npm = [...url.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].at(-1)?.[1];
  if (npm !== undefined) return `npm: ${npm}`;
  if (/_http_|internal\/http/.test(url)) return 'node: http';
  if (/stream|node:net|internal\/net/.test(url)) return 'node: streams and sockets';
  return `node: ${url.replace(/^node:(internal\/)?/, '')}`;
}

function shortPath(url: string): string {
  return url.replace(/^.*\/(services|packages|node_modules)\//, '$1/');
}
