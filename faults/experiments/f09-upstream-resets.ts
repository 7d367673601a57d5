import { Agent } from 'undici';
import type { Experiment, Stage } from '../src/experiment.ts';
import { type Call, makeCall } from '../src/load/call.ts';
import { between } from '../src/random.ts';
import type { Toxins } from '../src/tcp-proxy.ts';
import { CALL_ID, isWholeStream } from '../src/upstream.ts';

/** Where an answer of the upstream is cut: its head is some 170 bytes long. */
const STAGES: Record<string, { path: string; after: readonly [number, number] }> = {
  'before the status': { path: '/hello', after: [0, 0] },
  'in the status line': { path: '/hello', after: [1, 12] },
  'in the headers': { path: '/hello', after: [20, 100] },
  'in a chunk of a stream': { path: '/stream?ms=400', after: [170, 330] },
};
const ENDINGS: readonly Toxins['ending'][] = ['reset', 'half-close'];
const OPENS_AFTER = 5;

export const upstreamResets: Experiment = {
  name: 'F9',
  injects:
    'an upstream that resets or half-closes at every stage, or answers byte by byte; one that fails without end',
  passes:
    'the caller sees every break within 1 s; nothing unsafe is sent twice; the circuit opens; slices are put together',
  async run(stage) {
    const { tenant, upstreamProxy, verdict, pick } = stage;
    const base_url = `http://127.0.0.1:${upstreamProxy.port}`;
    await tenant.register({ name: 'frail', base_url, policy: { circuit_failures: 0 } });
    await tenant.register({ name: 'failing', base_url, policy: { circuit_failures: OPENS_AFTER } });
    for (const [where, { path, after }] of Object.entries(STAGES))
      for (const ending of ENDINGS)
        await breakCalls(stage, `${where}, ${ending}`, path, after, ending, pick(6, 125));
    await judgeSlices(stage);
    await judgeCircuit(stage);
    verdict.none('unsafe calls that were sent again', stage.upstream.duplicates());
    return { faults: [] };
  },
};

async function breakCalls(
  { tenant, upstreamProxy, random, verdict }: Stage,
  where: string,
  path: string,
  [low, high]: readonly [number, number],
  ending: Toxins['ending'],
  count: number,
): Promise<void> {
  const agent = new Agent({ connections: 16 });
  const calls: Call[] = [];
  for (let i = 0; i < count; i += 1) {
    upstreamProxy.toxins = {
      ...upstreamProxy.toxins,
      endAfterBytes: Math.round(between(random, low, high)),
      ending,
    };
    const id = `break-${where}-${i}`.replaceAll(/[^a-z0-9-]/g, '-');
    const call = makeCall(agent, 'break', id, {
      method: path === '/hello' && i % 2 === 0 ? 'POST' : 'GET',
      url: tenant.forward.replace('/steady/', '/frail/') + path,
      headers: { ...tenant.headers, [CALL_ID]: id },
      judge: () => 'the answer was cut, and seemed whole',
    });
    calls.push(await call);
    upstreamProxy.cut(); // the next call meets the next toxin
  }
  await agent.destroy();
  upstreamProxy.heal();
  verdict.none(
    `breaks ${where} that were not visible`,
    calls.filter(({ outcome }) => !['broken', 'refused'].includes(outcome)),
  );
  const times = calls.map(({ startedAt, endedAt }) => endedAt - startedAt);
  verdict.within(`breaks ${where} are seen`, times, path === '/hello' ? 1_000 : 1_400);
}

async function judgeSlices({ tenant, upstreamProxy, verdict, pick }: Stage): Promise<void> {
  upstreamProxy.toxins.sliceBytes = 1;
  const agent = new Agent();
  const calls = await Promise.all(
    Array.from({ length: pick(3, 50) }, (_, i) =>
      makeCall(agent, 'sliced', `sliced-${i}`, {
        method: 'GET',
        url: `${tenant.forward.replace('/steady/', '/frail/')}/stream?ms=300`,
        headers: { ...tenant.headers, [CALL_ID]: `sliced-${i}` },
        judge: (text) => (isWholeStream(text) ? undefined : 'not whole'),
      }),
    ),
  );
  await agent.destroy();
  upstreamProxy.heal();
  verdict.none(
    'answers in slices of one byte that did not arrive',
    calls.filter(({ outcome }) => outcome !== 'ok'),
  );
}

/** An API whose calls fail one after the other is left alone for a while. */
async function judgeCircuit({ tenant, upstreamProxy, upstream, verdict }: Stage): Promise<void> {
  upstreamProxy.toxins = { ...upstreamProxy.toxins, endAfterBytes: 0, ending: 'reset' };
  upstreamProxy.cut();
  const agent = new Agent();
  const codes: string[] = [];
  for (let i = 0; i < OPENS_AFTER + 3; i += 1) {
    const { detail } = await makeCall(agent, 'failing', `failing-${i}`, {
      method: 'POST',
      url: `${tenant.forward.replace('/steady/', '/failing/')}/hello`,
      headers: { ...tenant.headers, [CALL_ID]: `failing-${i}` },
    });
    codes.push(detail);
  }
  await agent.destroy();
  upstreamProxy.heal();
  const reached = codes.filter((_, i) => upstream.arrivals.has(`failing-${i}`)).length;
  verdict.that(
    `the circuit opens after ${OPENS_AFTER} failures`,
    codes.at(-1) === 'circuit_open' && reached === OPENS_AFTER,
    `${reached} reached the upstream, then ${codes.at(-1)}`,
  );
}
