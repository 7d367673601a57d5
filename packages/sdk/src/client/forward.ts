import type { Core } from './core.ts';
import { forwardPath } from './paths.ts';
import type { Body, HeaderPairs } from './transport.ts';

export interface ForwardOptions {
  /** Default: GET, or POST with a body. */
  method?: string | undefined;
  headers?: HeaderPairs;
  /** Streams as it is read; browsers take a stream over HTTP/2 only, and in the HITE channel it is collected first. */
  body?: Body | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds until the head of the answer. Default: no limit, because a model may think for long. */
  timeoutMs?: number | undefined;
}

/**
 * A call to an upstream through the mesh, which attaches the credential.
 *
 * `client.call('openai', '/v1/models')` answers as `fetch` does, whatever the status; the body streams. Whether the mesh itself
 * refused is told by `meshErrorOf(response)`.
 */
export const forwarderOf = (core: Core) =>
  async function call(api: string, path: string, options: ForwardOptions = {}): Promise<Response> {
    const { body, signal, timeoutMs = 0 } = options;
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    return core.send(method, forwardPath(await core.slug(), api, path), {
      body,
      signal,
      timeoutMs,
      ...(options.headers !== undefined && { headers: options.headers }),
    });
  };
