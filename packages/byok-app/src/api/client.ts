import type { Problem, ProblemCode } from '@zeq/contracts';
import { noteAnswer, noteSilence } from './reach.ts';

/** An error answer of the mesh. Its `detail` is written for people. */
export class ApiProblem extends Error {
  readonly code: ProblemCode | 'unknown';
  readonly status: number;
  readonly requestId: string | null;
  /** Seconds until it makes sense to ask again; null when the mesh did not say. */
  readonly retryAfterSeconds: number | null;

  constructor(answer: Response, problem: Partial<Problem>) {
    super(problem.detail ?? `The mesh answered ${answer.status}.`);
    this.code = problem.code ?? 'unknown';
    this.status = answer.status;
    this.requestId = problem.request_id ?? answer.headers.get('x-request-id');
    this.retryAfterSeconds = secondsOf(answer.headers.get('retry-after'));
  }
}

/** No answer came: the mesh or the network is away. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super(navigator.onLine ? 'The mesh does not answer.' : 'You are offline.', { cause });
  }
}

export interface CallOptions {
  json?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** Says that the page itself sends the request: without it the session cookie does not count (contracts, PAGE_HEADER). */
export const PAGE_HEADERS = { 'X-Zeq-Page': '1' };

type Listener = (problem: ApiProblem) => void;
const refusalListeners = new Set<Listener>();

/** Tells the session when the mesh no longer knows it. @returns Stops telling. */
export function onUnauthorized(listener: Listener): () => void {
  refusalListeners.add(listener);
  return () => refusalListeners.delete(listener);
}

/**
 * One call on the mesh.
 *
 * @throws ApiProblem for an error answer, Unreachable for none; an aborted call throws the browser's AbortError.
 */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const answer = await ask(method, path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** The answer itself, of whatever type. @throws as `call`. */
export async function ask(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const answer = await send(method, path, options);
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401) for (const listener of refusalListeners) listener(problem);
  throw problem;
}

async function send(method: string, path: string, { json, headers, signal }: CallOptions): Promise<Response> {
  try {
    const answer = await fetch(path, {
      method,
      headers: {
        ...PAGE_HEADERS,
        ...(json !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(signal && { signal }),
      cache: 'no-store',
      credentials: 'same-origin',
    });
    noteAnswer();
    return answer;
  } catch (err) {
    if (signal?.aborted) throw err;
    noteSilence();
    throw new Unreachable(err);
  }
}

/** The problem document of an error answer; of a proxy's own error page only the status is known. */
export async function problemOf(answer: Response): Promise<ApiProblem> {
  const isProblem = answer.headers.get('content-type')?.includes('json') === true;
  const text = await answer.text();
  try {
    return new ApiProblem(answer, isProblem ? (JSON.parse(text) as Partial<Problem>) : {});
  } catch {
    return new ApiProblem(answer, {}); // cut off half way: the status still says enough
  }
}

function secondsOf(retryAfter: string | null): number | null {
  const seconds = Number(retryAfter);
  return retryAfter !== null && Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : null;
}
