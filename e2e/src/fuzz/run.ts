import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { headOf, type RawTarget, rawTarget } from '../raw-call.ts';
import { openTestMesh, type TestMesh } from '../test-mesh.ts';
import { answerCorpus, requestCorpus } from './corpus.ts';
import { openFuzzUpstreams } from './fuzz-upstreams.ts';
import { type FuzzReport, judge, judgeClean, type Strange } from './judge.ts';
import { MemoryWatch } from './memory-watch.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

export interface FuzzOptions {
  seconds: number;
  /** Together with a round's number it makes that round's input. */
  seed: number;
  /** The round to begin with. */
  from?: number;
  say?: (text: string) => void;
}

/** A mutated path may lead to any of them. */
const EVERY_SERVICE_BEHIND_THE_GATEWAY = [
  'byok-vault',
  'forwarder',
  'sync-engine',
  'operator-engine',
  'gateway',
] as const;
const LANES = 16;
/** Strange requests often have no end: silence for this long ends the wait (ms). */
const PATIENCE_MS = 150;
/** An upstream's silence is ended by the policy before this (ms). */
const ANSWER_MS = 2_000;
const FAIR_MS = 20_000;
/** Timeouts of the API whose answers are strange, as short as a policy may have them (ms). */
const POLICY = { first_byte_timeout_ms: 200, idle_timeout_ms: 200, circuit_failures: 0 };

/** Strange requests to the gateway and strange answers to the forwarder, for a while; each followed by a call that must succeed. */
export async function runFuzz({
  seconds,
  seed,
  from = 0,
  say = () => undefined,
}: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { rounds: 0, statuses: {}, findings: [], memory: {} };
  const answers = new Map<string, { bytes: Buffer; closes: boolean }>();
  const upstreams = await openFuzzUpstreams(
    (path) => answers.get(path) ?? { bytes: Buffer.alloc(0), closes: true },
  );
  const mesh = await openTestMesh(
    [`127.0.0.1:${upstreams.honest}`, `127.0.0.1:${upstreams.strange}`],
    {},
    EVERY_SERVICE_BEHIND_THE_GATEWAY,
  );
  try {
    const before = JSON.stringify(mesh.mesh.pids());
    const rounds = await buildRounds(mesh, upstreams, answers, seed);
    const memory = new MemoryWatch(mesh.mesh.pids());
    const end = performance.now() + seconds * 1_000;
    let next = from;
    const lane = async () => {
      while (performance.now() < end) {
        const round = next++;
        await rounds[round % rounds.length]!(round, report);
        report.rounds += 1;
        if (report.rounds % 1_000 === 0) say(`${report.rounds} rounds, ${report.findings.length} findings`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await memory.stop();
    report.memory = memory.thirds;
    const whole = [...memory.growing(), ...faultsInLogs(mesh)];
    const after = JSON.stringify(mesh.mesh.pids());
    if (after !== before)
      report.findings.push({ round: -1, what: `a process ended: ${before} ${after}`, input: '' });
    for (const what of whole) report.findings.push({ round: -1, what, input: '' });
    return report;
  } finally {
    await mesh.stop();
    upstreams.close();
  }
}

type Round = (round: number, report: FuzzReport) => Promise<void>;

async function buildRounds(
  mesh: TestMesh,
  upstreams: { honest: number; strange: number },
  answers: Map<string, { bytes: Buffer; closes: boolean }>,
  seed: number,
): Promise<readonly Round[]> {
  const requests = await targetOf(mesh, 'requests', upstreams.honest);
  const replies = await targetOf(mesh, 'answers', upstreams.strange);
  const requestSeeds = requestCorpus(requests, mesh.owner.slug);
  const answerSeeds = answerCorpus();
  return [
    async function strangeRequest(round, report) {
      const random = new Random(seed, round);
      const input = mutate(random.pick(requestSeeds), requestSeeds, random);
      const strange: Strange = { round, side: 'request', input };
      judge(await exchange(requests.port, input), strange, report);
      await cleanCall(requests, strange, report);
    },
    async function strangeAnswer(round, report) {
      const random = new Random(seed, round);
      const input = mutate(random.pick(answerSeeds), answerSeeds, random);
      const path = `/strange/${round}`;
      answers.set(path, { bytes: input, closes: random.below(2) === 0 });
      const strange: Strange = { round, side: 'answer', input };
      const head = headOf(replies, 'GET', path, ['Connection: close']);
      judge(await exchange(replies.port, Buffer.from(head, 'latin1'), ANSWER_MS), strange, report);
      answers.delete(path);
      await cleanCall(replies, strange, report);
    },
  ];
}

/** An app token may do nothing but forward: no strange request can remove what the run stands on. */
async function targetOf(mesh: TestMesh, name: string, port: number): Promise<RawTarget> {
  const auth_header = 'X-Key: canary-9b1e4d7f2a6c8053e1f4';
  const base_url = `http://127.0.0.1:${port}`;
  const { forward } = await mesh.register({ name, base_url, auth_header, policy: POLICY });
  const { token } = await mesh.mintToken(name, { rate_limit_per_min: 1_000_000 });
  return rawTarget(forward, token);
}

/** Sends bytes and reads until the connection ends or has been silent for a while. */
function exchange(port: number, bytes: Buffer, patienceMs = PATIENCE_MS): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => socket.destroy()).on('close', () => resolve(text));
  return promise;
}

/** A call of somebody who does nothing strange. */
async function cleanCall(target: RawTarget, strange: Strange, report: FuzzReport): Promise<void> {
  const path = `/clean/${strange.round}`;
  const head = headOf(target, 'GET', path, ['Connection: close']);
  judgeClean(await exchange(target.port, Buffer.from(head, 'latin1'), FAIR_MS), path, strange, report);
}

/** Log lines of faults that are ours: what nobody expected, whatever was answered. */
function faultsInLogs({ mesh }: TestMesh): string[] {
  const folder = join(mesh.dataDir, 'logs');
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => /"level":(?:50|60)|unhandled|UnhandledPromise/.test(line));
}
