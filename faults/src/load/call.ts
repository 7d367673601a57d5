import type { Dispatcher } from 'undici';
import { request } from 'undici';

/**
 * How a call ended.
 * - `ok`: 2xx, and the content is whole
 * - `refused`: the mesh said no in its own words (`X-Zeq-Error`), with `Retry-After` where it is 503
 * - `away`: nobody accepted the connection, so nothing was sent
 * - `broken`: the connection ended visibly in the middle
 * - `wrong`: anything else, above all a clean end of something that is not whole
 */
export type Outcome = 'ok' | 'refused' | 'away' | 'broken' | 'wrong';

export interface Call {
  id: string;
  kind: string;
  /** Monotonic ms. */
  startedAt: number;
  endedAt: number;
  outcome: Outcome;
  /** The problem code of a refusal, the cause of a break, what was wrong. */
  detail: string;
}

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal;
  /** Looks at a whole 2xx answer. @returns What is wrong with it. */
  judge?: (body: string) => string | undefined;
}

/** Makes one call and says how it ended; it never throws. */
export async function makeCall(dispatcher: Dispatcher, kind: string, id: string, ask: Ask): Promise<Call> {
  const startedAt = performance.now();
  const [outcome, detail] = await outcomeOf(dispatcher, ask);
  return { id, kind, startedAt, endedAt: performance.now(), outcome, detail };
}

async function outcomeOf(dispatcher: Dispatcher, ask: Ask): Promise<[Outcome, string]> {
  const { method, url, headers, body, signal, judge } = ask;
  try {
    const answer = await request(url, {
      method,
      headers,
      dispatcher,
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 200 && answer.statusCode < 300) {
      const fault = judge?.(text);
      return fault === undefined ? ['ok', ''] : ['wrong', fault];
    }
    return refusal(answer);
  } catch (err) {
    return broken(err);
  }
}

function refusal({ statusCode, headers }: Dispatcher.ResponseData): [Outcome, string] {
  const code = headers['x-zeq-error'];
  if (typeof code !== 'string') return ['wrong', `status ${statusCode} without X-Zeq-Error`];
  if (statusCode === 503 && headers['retry-after'] === undefined)
    return ['wrong', `503 ${code} without Retry-After`];
  return ['refused', code];
}

function broken(err: unknown): [Outcome, string] {
  const { code = '', name, message } = err as Error & { code?: string };
  return code === 'ECONNREFUSED' ? ['away', code] : ['broken', code || `${name}: ${message}`];
}
