import { setTimeout as sleep } from 'node:timers/promises';

export interface Machine {
  slug: string;
  api_key: string;
}

export interface DemoOptions {
  gateway: string;
  xApiKey: string;
  sampleUrl: string;
  sampleKey: string;
  /** The machine of an earlier start, if there was one. */
  known: Machine | undefined;
}

const API_NAME = 'sample';
/** Together: how long a service may say that it is only starting (30 s). */
const TRIES = 150;
const PAUSE_MS = 200;

/** What the sample upstream answers, so that the page's console can offer it. */
const SAMPLE_SCHEMA = {
  openapi: '3.1.0',
  info: { title: 'Sample upstream', version: '1' },
  paths: Object.fromEntries(
    ['/v1/stream', '/v1/hello', '/v1/models', '/v1/echo'].map((path) => [
      path,
      { get: { responses: { 200: { description: 'OK' } } } },
    ]),
  ),
};

/** The demo machine with the sample upstream registered: found again after a restart, made when it is not there. */
export async function ensureDemoMachine(options: DemoOptions) {
  const machine = (await reuse(options)) ?? (await create(options));
  const id = await ensureSample(options, machine);
  const forward = `${options.gateway}/api/zeq/apis/${machine.slug}/${API_NAME}/forward`;
  return { machine, apis: [{ name: API_NAME, id, forward }] };
}

async function reuse({ gateway, known }: DemoOptions): Promise<Machine | undefined> {
  if (known === undefined) return undefined;
  const answer = await call('GET', `${gateway}/api/zeq/apis/${known.slug}`, {
    Authorization: `Bearer ${known.api_key}`,
  });
  return answer.status === 200 ? known : undefined;
}

/** A vault whose database has only just come says 503 for a moment; it is asked again. */
async function untilUp<T extends { status: number }>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.status !== 503 || tries === TRIES) return answer;
    await sleep(PAUSE_MS);
  }
}

/** The slug `demo`, or the next free one: the key of an older machine may be lost, and keys are shown only once. */
async function create({ gateway, xApiKey }: DemoOptions): Promise<Machine> {
  for (let n = 1; n <= 20; n++) {
    const slug = n === 1 ? 'demo' : `demo-${n}`;
    const answer = await untilUp(() =>
      call('POST', `${gateway}/api/zeq/machines`, { 'X-API-Key': xApiKey }, { slug, display_name: 'Demo' }),
    );
    if (answer.status === 201) return { slug, api_key: (answer.body as { api_key: string }).api_key };
    if (answer.status !== 409) throw new Error(`the demo machine could not be made: ${explain(answer)}`);
  }
  throw new Error('the demo machine could not be made: the slugs demo to demo-20 are taken');
}

async function ensureSample(
  { gateway, sampleUrl, sampleKey }: DemoOptions,
  machine: Machine,
): Promise<string> {
  const owner = { Authorization: `Bearer ${machine.api_key}` };
  const url = `${gateway}/api/zeq/apis/${machine.slug}`;
  const wanted = {
    base_url: sampleUrl,
    auth_header: `Authorization: Bearer ${sampleKey}`,
    rate_limit_per_min: 600,
    schema: SAMPLE_SCHEMA,
  };
  let answer = await call('POST', url, owner, { name: API_NAME, ...wanted });
  if (answer.status === 409) answer = await call('PATCH', `${url}/${API_NAME}`, owner, wanted);
  if (answer.status >= 300)
    throw new Error(`the sample upstream could not be registered: ${explain(answer)}`);
  return (answer.body as { id: string }).id;
}

interface Answer {
  status: number;
  body: unknown;
}

async function call(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Answer> {
  const sent =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { ...headers, 'Content-Type': 'application/json' } };
  const answer = await fetch(url, { method, headers, signal: AbortSignal.timeout(10_000), ...sent });
  return { status: answer.status, body: await answer.json().catch(() => undefined) };
}

const explain = ({ status, body }: Answer) =>
  `${status} ${(body as { detail?: string } | undefined)?.detail ?? ''}`.trim();
