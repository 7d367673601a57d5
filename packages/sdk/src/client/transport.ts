import { invalidArgument } from './zeq-error.ts';

export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** What `new Headers` takes. */
export type HeaderPairs = Headers | Readonly<Record<string, string>> | [string, string][];

/** One request to the gateway, however it travels. */
export interface MeshRequest {
  method: string;
  /** With its query, as it shall arrive. */
  path: string;
  headers: Headers;
  body?: Body | undefined;
  signal?: AbortSignal | undefined;
}

/** Sends a request and has the answer's head; its body may still come. @throws what `fetch` throws */
export type Transport = (request: MeshRequest) => Promise<Response>;

/** Straight over HTTP. Redirects are handed to the caller, and no cookie travels. */
export function fetchTransport(base: string, fetchFunction: typeof fetch): Transport {
  return function sendOverHttp({ method, path, headers, body, signal }) {
    return fetchFunction(base + path, {
      method,
      headers,
      redirect: 'manual',
      credentials: 'omit',
      ...(body !== undefined && { body }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
      ...(signal && { signal }),
    });
  };
}

/** The gateway's address without a slash at its end. @throws ZeqError `invalid_argument` */
export function parseBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw invalidArgument('url must be an http:// or https:// address.');
  if (url.username || url.password) throw invalidArgument('url must not hold a name or a password.');
  if (url.search || url.hash) throw invalidArgument('url must not have a query or a fragment.');
  return url.origin + url.pathname.replace(/\/+$/, '');
}
