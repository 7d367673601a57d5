import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
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
/** An open circuit lets its first probe through after a second. */
const HALF_OPEN_MS = 1_100;

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
    await breakLate(stage);
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

/** A break when very much has passed already is seen, too. */
async function breakLate({ tenant, verdict, pick }: Stage): Promise<void> {
  const bytes = pick(2 ** 24, 2 ** 30);
  const { statusCode, body } = await request(`${tenant.forward}/cut-after?bytes=${bytes}`, {
    headers: tenant.headers,
  });
  let read = 0;
  let end = 'a clean end';
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) read += chunk.length;
  } catch (err) {
    end = (err as Error & { code?: string }).code ?? (err as Error).name;
  }
  const isSeen = statusCode === 200 && end !== 'a clean end';
  verdict.that(`a break after ${bytes} bytes is visible`, isSeen, `${read} bytes, then ${end}`);
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

/** An API whose calls fail one after the other is left alone for a while; then one call asks whether it is well again. */
async function judgeCircuit(stage: Stage): Promise<void> {
  const { upstreamProxy, upstream, verdict } = stage;
  upstreamProxy.toxins = { ...upstreamProxy.toxins, endAfterBytes: 0, ending: 'reset' };
  upstreamProxy.cut();
  const codes: string[] = [];
  for (let i = 0; i < OPENS_AFTER + 3; i += 1)
    codes.push((await failing(stage, `failing-${i}`, 'hello')).detail);
  upstreamProxy.heal();
  const reached = codes.filter((_, i) => upstream.arrivals.has(`failing-${i}`)).length;
  verdict.that(
    `the circuit opens after ${OPENS_AFTER} failures`,
    codes.at(-1) === 'circuit_open' && reached === OPENS_AFTER,
    `${reached} reached the upstream, then ${codes.at(-1)}`,
  );
  await sleep(HALF_OPEN_MS);
  const ids = Array.from({ length: 10 }, (_, i) => `half-open-${i}`);
  const calls = await Promise.all(ids.map((id) => failing(stage, id, 'late?ms=300')));
  const probes = ids.filter((id) => upstream.arrivals.has(id)).length;
  const refused = calls.filter(({ detail }) => detail === 'circuit_open').length;
  verdict.that(
    'half open, one probe goes through of ten calls at once',
    probes === 1 && refused === 9,
    `${probes} reached the upstream, ${refused} refused`,
  );
  const { outcome } = await failing(stage, 'after-the-probe', 'hello');
  verdict.that('its answer closes the circuit', outcome === 'ok', outcome);
}

async function failing({ tenant }: Stage, id: string, path: string): Promise<Call> {
  const agent = new Agent();
  const call = await makeCall(agent, 'failing', id, {
    method: 'POST',
    url: `${tenant.forward.replace('/steady/', '/failing/')}/${path}`,
    headers: { ...tenant.headers, [CALL_ID]: id },
  });
  await agent.destroy();
  return call;
}
