import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { ProblemCode, TestCall, TestResult, TestStep, TryApi } from '@zeq/contracts';
import { wipe } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import { redact } from '../answer/redact.ts';
import { callerHeaders } from '../answer/response-headers.ts';
import type { ForwardCaller } from '../decision/identity.ts';
import type { Outbound } from '../decision/outbound.ts';
import type { Passage } from '../decision/passage.ts';
import { readRequestHead } from '../request/request-head.ts';
import { upstreamHeaders } from '../request/request-headers.ts';
import { Exchange } from '../upstream/exchange.ts';
import type { Pools } from '../upstream/pools.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** A test is watched by a person: it waits less long than a call (ms). */
const DEADLINE_MS = 60_000;

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
): Promise<TestResult> {
  return run(deps, test, (now) => deps.outbound.admit({ ...askOf(caller, test), ref }, now));
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
  { pools }: TestDeps,
  test: TestCall,
  admit: (now: number) => Passage | Promise<Passage>,
): Promise<TestResult> {
  const startedAt = performance.now();
  refuseHeaders(test);
  try {
    const passage = await admit(startedAt);
    const answer = await new TestExchange(passage, pools).run(test);
    return describe(passage, answer, performance.now() - startedAt);
  } catch (err) {
    const step = err instanceof ProblemError ? STEPS[err.code] : undefined;
    if (step === undefined) throw err;
    return failure(step, err as ProblemError, performance.now() - startedAt);
  }
}

interface Answer {
  status: number;
  headers: string[];
  body: Buffer;
  truncated: boolean;
}

class TestExchange extends Exchange {
  readonly #answer = Promise.withResolvers<Answer>();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: string[] = [];

  async run(test: TestCall): Promise<Answer> {
    const late = new ProblemError('upstream_timeout', 'The upstream took longer than a test waits.');
    const timer = setTimeout(() => this.#stop(late), DEADLINE_MS);
    try {
      this.passage.attach({ cut: (problem) => this.#stop(problem) });
      const { headers, body } = requestOf(test);
      this.send({ headers: upstreamHeaders(readRequestHead(headers), this.passage.decision.api), body });
      return await this.#answer.promise;
    } finally {
      clearTimeout(timer);
      this.passage.release();
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.#status = status;
    const { allowed_response_headers: allowed } = this.passage.decision.limits;
    this.#headers = callerHeaders(headers, allowed).headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = MAX_BODY_BYTES - this.#bytes;
    this.#bytes += chunk.length;
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    if (this.#bytes > MAX_BODY_BYTES) this.#finish();
  }

  onResponseEnd(): void {
    this.settle();
    this.#finish();
  }

  protected failed(err: unknown): void {
    this.#answer.reject(err);
  }

  #finish(): void {
    const truncated = this.#bytes > MAX_BODY_BYTES;
    const body = Buffer.concat(this.#chunks);
    this.#answer.resolve({ status: this.#status, headers: this.#headers, body, truncated });
    if (truncated) this.cancel(new ProblemError('bad_request', 'The test has seen enough.'));
  }

  #stop(problem: ProblemError): void {
    this.#answer.reject(problem);
    this.cancel(problem);
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

/** A test's headers and body as they would come from a caller. */
function requestOf(test: TestCall): { headers: string[]; body: Buffer | null } {
  const headers = Object.entries(test.headers ?? {}).flat();
  if (test.body === undefined) return { headers, body: null };
  const isText = typeof test.body === 'string';
  const named = Object.keys(test.headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
  if (!named) headers.push('content-type', isText ? 'text/plain; charset=utf-8' : 'application/json');
  return { headers, body: Buffer.from(isText ? (test.body as string) : JSON.stringify(test.body)) };
}

function describe(passage: Passage, answer: Answer, ms: number): TestResult {
  const clean = redactorOf(passage);
  const { status, headers, body, truncated } = answer;
  const shown: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) shown[headers[i]!.toLowerCase()] = clean(headers[i + 1]!);
  const step: TestStep | null =
    status === 401 || status === 403 ? 'authentication' : status >= 400 ? 'status' : null;
  return {
    ok: step === null,
    status,
    latency_ms: round(ms),
    headers: shown,
    body: clean(body.toString('utf8')),
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

function redactorOf({ decision: { api } }: Passage): (text: string) => string {
  const bytes = api.credential?.open();
  if (bytes === undefined) return (text) => text;
  const value = bytes.toString('latin1');
  wipe(bytes);
  return (text) => redact(text, value);
}

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
