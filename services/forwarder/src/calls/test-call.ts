import { performance } from 'node:perf_hooks';
import {
  PROBLEMS,
  type ProblemCode,
  type TestCall,
  type TestResult,
  type TestStep,
  type TryApi,
} from '@zeq/contracts';
import { ProblemError, toProblem } from '@zeq/service-kit';
import type { ForwardCaller } from '../decision/identity.ts';
import type { Outbound } from '../decision/outbound.ts';
import type { Passage } from '../decision/passage.ts';
import type { Pools } from '../upstream/pools.ts';
import { CallRecord } from '../usage/call-record.ts';
import type { UsageRecorder } from '../usage/usage-recorder.ts';
import { type TestAnswer, TestExchange } from './test-exchange.ts';

/** Refusals that are an answer of the test; every other one answers the request. */
const STEPS: Partial<Record<ProblemCode, TestStep>> = {
  egress_refused: 'guard',
  invalid_path: 'decision',
  method_not_allowed: 'decision',
  forbidden: 'decision',
  credential_missing: 'decision',
  credential_unreadable: 'decision',
  loop_detected: 'decision',
  dns_failed: 'name',
  dns_timeout: 'name',
  connect_failed: 'connect',
  connect_timeout: 'connect',
  tls_failed: 'tls',
  upstream_invalid: 'response',
  upstream_reset: 'response',
  upstream_timeout: 'response',
};

export interface TestDeps {
  outbound: Outbound;
  pools: Pools;
  usage: UsageRecorder;
}

/**
 * One call with the stored credential, through the same decision, limits and guard as any other, that says which step failed.
 *
 * @throws ProblemError for what is wrong with the request itself or its caller, and when a limit is reached.
 */
export function runTest(
  deps: TestDeps,
  caller: ForwardCaller,
  ref: string,
  test: TestCall,
  requestId: string,
): Promise<TestResult> {
  const record = new CallRecord('test', caller, test.method, test.path, requestId, performance.now());
  const ask = { ...askOf(caller, test), ref, record };
  return run(deps, test, (now) => deps.outbound.admit(ask, now), record);
}

/**
 * The same for a registration that is not saved.
 *
 * @throws ProblemError also for what is wrong with the registration.
 */
export function runDraftTest(
  deps: TestDeps,
  caller: ForwardCaller,
  { api, ...test }: TryApi,
): Promise<TestResult> {
  return run(deps, test, (now) => deps.outbound.admitDraft(askOf(caller, test), api, now));
}

const askOf = (caller: ForwardCaller, { method, path }: TestCall) => ({
  caller,
  method,
  rest: path,
  hops: 0,
});

async function run(
  { pools, usage }: TestDeps,
  test: TestCall,
  admit: (now: number) => Passage | Promise<Passage>,
  record?: CallRecord,
): Promise<TestResult> {
  const startedAt = performance.now();
  refuseHeaders(test);
  let exchange: TestExchange | undefined;
  try {
    exchange = new TestExchange(await admit(startedAt), pools);
    const answer = await exchange.run(test);
    record?.end('ok', answer.status, true);
    return describe(answer, performance.now() - startedAt);
  } catch (err) {
    const { code } = toProblem(err);
    record?.end(code, PROBLEMS[code].status, false);
    const step = err instanceof ProblemError ? STEPS[err.code] : undefined;
    if (step === undefined) throw err;
    return failure(step, err as ProblemError, performance.now() - startedAt);
  } finally {
    if (record !== undefined) {
      exchange?.measure(record);
      usage.add(record);
    }
  }
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What a request line from the network could not hold either (RFC 9110 section 5.5). */
function refuseHeaders({ headers = {} }: TestCall): void {
  for (const [name, value] of Object.entries(headers))
    if (!NAME.test(name) || !VALUE.test(value))
      throw new ProblemError('invalid_header', 'A header of the test is not a valid HTTP header.');
}

function describe({ status, headers, body, truncated }: TestAnswer, ms: number): TestResult {
  const shown: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) shown[headers[i]!.toLowerCase()] = headers[i + 1]!;
  const step: TestStep | null =
    status === 401 || status === 403 ? 'authentication' : status >= 400 ? 'status' : null;
  return {
    ok: step === null,
    status,
    latency_ms: round(ms),
    headers: shown,
    body: body.toString('utf8'),
    body_truncated: truncated,
    failed_step: step,
    code: null,
    detail: step === null ? null : STEP_DETAILS[step],
  };
}

const STEP_DETAILS = {
  authentication: 'The upstream was reached and refused the credential.',
  status: 'The upstream was reached and took the credential, but answered with an error.',
} as const;

const failure = (step: TestStep, { code, message }: ProblemError, ms: number): TestResult => ({
  ok: false,
  status: null,
  latency_ms: round(ms),
  headers: {},
  body: '',
  body_truncated: false,
  failed_step: step,
  code,
  detail: message,
});

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
