import { HiteInnerRequest } from '@zeq/contracts';
import { ProblemError, parseInput, parseStrictJson } from '@zeq/service-kit';

/** What an inner request has where it says nothing. */
export interface InnerDefaults {
  host: string;
  requestId: string;
}

/** A request in the bytes of HTTP/1.1, as a client of its own would have sent it. */
export interface InnerRequest {
  method: string;
  /** Head, then body. */
  bytes: Buffer[];
}

/** An object, one of headers, and one name more than the guard lets lines through: it is the one to say so. */
const MAX_PARTS = 210;
const MAX_DEPTH = 2;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 section 5.5: visible characters, blanks, tabs, and bytes above; above all no end of a line. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^[\x21-\x7e]+$/;

/**
 * Reads the inner request of a frame and writes it as HTTP/1.1. Only parts that cannot hold the end of a line get there, and the
 * length of the body is ours; whether head and target are acceptable is then judged by the parser and the guard that judge every
 * request.
 *
 * @throws ProblemError for what is no request, or none that can run in a channel.
 */
export function innerRequest(plaintext: Uint8Array, defaults: InnerDefaults): InnerRequest {
  const inner = parseInput(HiteInnerRequest, parseStrictJson(plaintext, MAX_DEPTH, MAX_PARTS));
  if (!TARGET.test(inner.path)) throw new ProblemError('bad_request', 'The request target must be a path.');
  const body = inner.body === undefined ? undefined : Buffer.from(inner.body, 'base64');
  let head = `${inner.method} ${inner.path} HTTP/1.1\r\n`;
  const names = new Set<string>();
  for (const [name, value] of Object.entries(inner.headers)) {
    const lower = name.toLowerCase();
    names.add(lower);
    if (keeps(lower, name, value, body?.length ?? 0)) head += `${name}: ${value}\r\n`;
  }
  if (!names.has('host')) head += `Host: ${defaults.host}\r\n`;
  if (!names.has('x-request-id')) head += `X-Request-Id: ${defaults.requestId}\r\n`;
  if (body !== undefined) head += `Content-Length: ${body.length}\r\n`;
  const bytes = [Buffer.from(`${head}Connection: close\r\n\r\n`, 'latin1')];
  if (body !== undefined && body.length > 0) bytes.push(body);
  return { method: inner.method, bytes };
}

/** Whether a header goes on as it is. @throws ProblemError for one that would frame the body anew or leave HTTP. */
function keeps(lower: string, name: string, value: string, length: number): boolean {
  if (!NAME.test(name) || !VALUE.test(value))
    throw new ProblemError('bad_request', 'A header of the inner request is not one.');
  if (lower === 'transfer-encoding')
    throw new ProblemError('bad_request', 'The body of an inner request is not sent in chunks.');
  if (lower === 'upgrade')
    throw new ProblemError('not_implemented', 'A channel carries requests and their answers, no sockets.');
  if (lower !== 'content-length') return true;
  if (value !== String(length))
    throw new ProblemError('bad_request', 'The inner request states another length than its body has.');
  return false;
}
