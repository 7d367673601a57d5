import type {
  ActivityEntry,
  ActivityPage,
  Usage,
  UsageBucket,
  UsageFigures,
  UsageStep,
} from '@zeq/contracts';
import type { BrowserContext } from 'playwright-core';

/** Figures that nobody has measured, for pictures and for lists longer than a test could fill: the same at every run. */
const STEP_MS: Record<UsageStep, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** 0 to 1, by place: no two neighbours alike, and no chance in it. */
const wave = (seed: number): number => (Math.sin(seed * 12.9898) * 43_758.5453) % 1;
const noise = (seed: number): number => Math.abs(wave(seed));

export function madeUpUsage(apiId: string, from: Date, to: Date, step: UsageStep): Usage {
  const size = STEP_MS[step];
  const first = Math.floor(from.getTime() / size) * size;
  const count = Math.max(1, Math.ceil((to.getTime() - first) / size));
  const buckets = Array.from({ length: count }, (_, i) => bucket(first + i * size, step));
  return {
    api_id: apiId,
    from: new Date(first).toISOString(),
    to: new Date(first + count * size).toISOString(),
    step,
    total: totalOf(buckets),
    buckets,
    coarse_before: null,
  };
}

function bucket(at: number, step: UsageStep): UsageBucket {
  const seed = Math.floor(at / STEP_MS[step]) % 100_000;
  const hour = (at / 3_600_000) % 24;
  const day = step === 'day' ? 1 : 0.35 + 0.65 * Math.sin(((hour - 4) / 24) * Math.PI) ** 2;
  const scale = { minute: 42, hour: 2_300, day: 41_000 }[step];
  const requests = Math.round(scale * day * (0.75 + 0.5 * noise(seed)));
  const bad = noise(seed + 7) > 0.93 ? Math.ceil(requests * 0.09) : 0;
  const warn = Math.round(requests * 0.015 * noise(seed + 3));
  const slow = 1 + noise(seed + 5) * 0.25 + (bad > 0 ? 0.9 : 0);
  return {
    at: new Date(at).toISOString(),
    requests,
    sent: requests - warn,
    status: { '1xx': 0, '2xx': requests - bad - warn, '3xx': 0, '4xx': warn, '5xx': bad, none: 0 },
    errors: bad + warn,
    aborted: 0,
    refused: warn > 0 ? { rate_limited: warn } : {},
    websockets: 0,
    tests: 0,
    bytes_in: requests * 1_840,
    bytes_out: Math.round(requests * 9_200 * slow),
    latency_ms: { p50: 382 * slow, p95: 1_240 * slow, p99: 2_310 * slow },
    tokens_in: requests * 412,
    tokens_out: Math.round(requests * 187 * slow),
  };
}

function totalOf(buckets: readonly UsageBucket[]): UsageFigures {
  const sum = (value: (each: UsageBucket) => number) => buckets.reduce((all, each) => all + value(each), 0);
  const limited = sum(({ refused }) => refused.rate_limited ?? 0);
  return {
    requests: sum(({ requests }) => requests),
    sent: sum(({ sent }) => sent),
    status: {
      '1xx': 0,
      '2xx': sum(({ status }) => status['2xx']),
      '3xx': 0,
      '4xx': sum(({ status }) => status['4xx']),
      '5xx': sum(({ status }) => status['5xx']),
      none: 0,
    },
    errors: sum(({ errors }) => errors),
    aborted: 0,
    refused: limited > 0 ? { rate_limited: limited } : {},
    websockets: 0,
    tests: 0,
    bytes_in: sum(({ bytes_in }) => bytes_in),
    bytes_out: sum(({ bytes_out }) => bytes_out),
    latency_ms: { p50: 431.2, p95: 1_402, p99: 2_870 },
    tokens_in: sum(({ tokens_in }) => tokens_in),
    tokens_out: sum(({ tokens_out }) => tokens_out),
  };
}

const APPS = ['website', 'nightly batch', "Ana's laptop", 'mobile'];
const PATHS = [
  '/v1/chat/completions',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/models',
  '/v1/responses',
];

/** One call; the greater its number, the later it was. */
export function madeUpCall(number: number, newest: number, now: number): ActivityEntry {
  const dice = noise(number);
  const isLimited = dice > 0.96;
  const isDown = !isLimited && dice > 0.92;
  const path = PATHS[number % PATHS.length]!;
  return {
    id: String(number),
    at: new Date(now - (newest - number) * 1_700 - dice * 900).toISOString(),
    kind: 'call',
    caller: { kind: 'token', id: `tok_${number % 4}`, name: APPS[number % 4]!, prefix: 'zat_4fJ2' },
    method: path === '/v1/models' ? 'GET' : 'POST',
    path,
    status: isLimited ? 429 : isDown ? 503 : 200,
    outcome: isLimited ? 'refused' : 'ok',
    said_no: isLimited ? 'mesh' : isDown ? 'upstream' : null,
    code: isLimited ? 'rate_limited' : null,
    duration_ms: isLimited ? 0.4 : 180 + dice * 1_400,
    bytes_in: 1_320,
    bytes_out: isLimited ? 212 : 5_400,
    tokens_in: isLimited ? null : 380,
    tokens_out: isLimited ? null : 164,
    request_id: `0f8a2c${String(number).padStart(10, '0')}`,
  };
}

export function madeUpActivity(all: number, query: URLSearchParams, now = Date.now()): ActivityPage {
  const top = Number(query.get('before') ?? all + 1);
  const limit = Number(query.get('limit') ?? 100);
  if (query.has('after')) return { entries: [], next: null, latest: String(all) };
  const length = Math.max(0, Math.min(limit, top - 1));
  const entries = Array.from({ length }, (_, i) => madeUpCall(top - 1 - i, all, now));
  const last = top - length;
  return { entries, next: last > 1 ? String(last) : null, latest: String(all) };
}

interface MadeUp {
  /** The names of the APIs that were called, by id. */
  apis: readonly { id: string }[];
  calls: number;
}

/** Answers the page's questions about usage and activity from here instead of the mesh. */
export async function answerWith(context: BrowserContext, { apis, calls }: MadeUp): Promise<void> {
  await context.route(/\/api\/zeq\/usage\//, (route) => route.fulfill({ json: madeUpSummary(apis) }));
  await context.route(/\/api\/zeq\/apis\/[^/]+\/[^/]+\/usage/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [from, to] = [new Date(query.get('from')!), new Date(query.get('to')!)];
    return route.fulfill({ json: madeUpUsage('api_x', from, to, query.get('step') as UsageStep) });
  });
  await context.route(/\/api\/zeq\/apis\/[^/]+\/[^/]+\/activity/, (route) =>
    route.fulfill({ json: madeUpActivity(calls, new URL(route.request().url()).searchParams) }),
  );
}

function madeUpSummary(apis: readonly { id: string }[]) {
  return {
    from: new Date(Date.now() - 3_600_000).toISOString(),
    apis: apis.map(({ id }, nth) => {
      const requests = Array.from({ length: 60 }, (_, i) =>
        Math.round(30 * noise(i + nth * 61) * noise(nth + 2)),
      );
      const errors = requests.map((value, i) =>
        nth % 3 === 1 && i > 40 && i < 52 ? Math.ceil(value / 3) : 0,
      );
      return { api_id: id, requests, errors };
    }),
  };
}
