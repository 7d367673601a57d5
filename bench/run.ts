// The forward path beside nginx, express + http-proxy-middleware and Portkey's gateway: same upstream, same run.
//
//   npm run bench                        all contenders, about six minutes
//   npm run bench -- --only mesh,nginx   some of them
//   npm run bench -- --rounds 2          fewer rounds
//
// Needs Linux, nginx, wrk and taskset. The peers are installed on first use, from bench/peers and its own lockfile.
// Writes bench/out/results.json and bench/out/report.md.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  CONTENDER_CPU,
  CONTENDERS,
  type Contender,
  type Running,
  startNginx,
  type Upstreams,
} from './contenders.ts';
import { listen, type Visit, visit } from './measure.ts';
import { CLIENT_HEADERS, UPSTREAM_KEY } from './messages.ts';
import { nginxUpstream } from './nginx.ts';
import { familyOf } from './proc.ts';
import { freePorts, pin, startProcess, stopAllProcesses } from './processes.ts';
import { type ContenderResult, type Results, reportOf } from './report.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OUT = join(HERE, 'out');
const CLIENT_CPU = '1';
const MANY = 16;
const WARM_UP_SECONDS = 12;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '2' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

interface Stage {
  upstreams: Upstreams;
  jsonPids: number[];
  allPids: number[];
  reference: Running;
}

try {
  requireTools();
  installPeers();
  mkdirSync(OUT, { recursive: true });
  pin([process.pid], CLIENT_CPU);
  const stage = await setStage();
  const results: Results = { rounds, seconds, direct: await measureDirect(stage), contenders: [] };
  for (const contender of chosen()) {
    say(`${contender.id} …`);
    results.contenders.push(await measureContender(contender, stage));
    writeFileSync(join(OUT, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  }
  const report = reportOf(results);
  writeFileSync(join(OUT, 'report.md'), report);
  say(`\n${report}`);
} finally {
  await stopAllProcesses();
}

function chosen(): Contender[] {
  const ids = options.only?.split(',') ?? CONTENDERS.map(({ id }) => id);
  return ids.map((id) => {
    const contender = CONTENDERS.find((one) => one.id === id);
    if (contender === undefined) throw new Error(`there is no contender ${id}`);
    return contender;
  });
}

function requireTools(): void {
  const missing = ['nginx', 'wrk', 'taskset'].filter((tool) => !onPath(tool));
  if (missing.length > 0) throw new Error(`the benchmark needs ${missing.join(', ')}`);
}

function onPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((dir) => existsSync(join(dir, tool)));
}

/** `npm ci` without install scripts: the peers run as published. */
function installPeers(): void {
  const cwd = join(HERE, 'peers');
  if (existsSync(join(cwd, 'node_modules'))) return;
  say('installing the peers (once) …');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd, stdio: 'inherit' });
}

/** Both upstreams, and the nginx that every measurement is taken beside. */
async function setStage(): Promise<Stage> {
  const [json, sse] = (await freePorts(2)) as [number, number];
  const upstreams = { json, sse };
  const nginx = await startProcess({
    command: nginxUpstream(join(OUT, 'upstream'), json),
    cpus: CLIENT_CPU,
    port: json,
  });
  const stream = await startProcess({
    command: [process.execPath, join(HERE, 'sse-upstream.ts'), String(sse)],
    cpus: CLIENT_CPU,
    port: sse,
  });
  const jsonPids = familyOf(nginx.pid!);
  const reference = await startNginx(upstreams, 'nginx-reference');
  await visit(reference, jsonPids, MANY, 2);
  return { upstreams, jsonPids, allPids: [...jsonPids, ...familyOf(stream.pid!)], reference };
}

/** The client against the upstream itself, with the right key: what any hop is added to. */
async function measureDirect(stage: Stage): Promise<ContenderResult> {
  const headers = { ...CLIENT_HEADERS, Authorization: `Bearer ${UPSTREAM_KEY}` };
  const target = (port: number) => ({ port, path: '/v1/chat/completions', headers });
  const direct: Running = {
    json: target(stage.upstreams.json),
    sse: target(stage.upstreams.sse),
    pids: [],
    stop: async () => undefined,
  };
  return measure({ id: 'direct', label: 'direct, no hop' }, direct, stage);
}

async function measureContender(contender: Contender, stage: Stage): Promise<ContenderResult> {
  const running = await contender.start(stage.upstreams);
  try {
    await visit(running, stage.jsonPids, 64, WARM_UP_SECONDS / 3);
    await visit(running, stage.jsonPids, MANY, (WARM_UP_SECONDS * 2) / 3);
    return await measure(contender, running, stage);
  } finally {
    await running.stop();
  }
}

/** Rounds of contender and reference in turn, each first in every other round: what the neighbours do changes by the second. */
async function measure(
  { id, label }: Pick<Contender, 'id' | 'label'>,
  running: Running,
  stage: Stage,
): Promise<ContenderResult> {
  const result: ContenderResult = {
    id,
    label,
    many: [],
    one: [],
    streams: await measureStreams(running, stage),
  };
  for (const [connections, into] of [
    [MANY, result.many],
    [1, result.one],
  ] as const) {
    for (let round = 0; round < rounds; round++) {
      const turns = [running, stage.reference];
      const seen: Visit[] = [];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed())
        seen.push(await visit(turn, stage.jsonPids, connections, seconds));
      const [own, reference] = (round % 2 === 0 ? seen : seen.toReversed()) as [Visit, Visit];
      into.push({ own, reference });
    }
  }
  return result;
}

/** One stream at a time, everything on one processor, as with one connection. */
async function measureStreams(running: Running, stage: Stage) {
  const mine = [process.pid, ...stage.allPids];
  pin(mine, CONTENDER_CPU);
  await listen(running.sse, 1, 5);
  const times = await listen(running.sse, 1, 20);
  pin(mine, CLIENT_CPU);
  return times;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
