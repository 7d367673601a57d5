import type { IncomingMessage } from 'node:http';
import type { ProblemCode } from '@zeq/contracts';

/** As the gateway's own limit (characters). */
const MAX_TARGET_CHARS = 8192;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;

export interface Refusal {
  code: ProblemCode;
  detail: string;
}

/**
 * Refuses what Node's parser lets through although it means different things to different readers. The gateway refuses the same
 * before; whoever reaches this port without it gets no further for that.
 */
export function refuseRequest({
  httpVersionMajor,
  url = '',
  rawHeaders,
}: IncomingMessage): Refusal | undefined {
  // Node takes a line without a version for HTTP/0.9, headers and all (RFC 9112 section 2.3 knows no such thing).
  if (httpVersionMajor !== 1) return refusal('bad_request', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.');
  if (url.length > MAX_TARGET_CHARS) return refusal('uri_too_long', 'The request target is too long.');
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1;
      if (hosts > 1 || !isHost(rawHeaders[i + 1]!))
        return refusal('bad_request', 'The request needs exactly one valid Host.');
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      // Nothing longer is a length: numbers behind it are not exact.
      if (!(Number(rawHeaders[i + 1]) <= Number.MAX_SAFE_INTEGER))
        return refusal('payload_too_large', 'The stated length is too large.');
    }
  }
  return undefined;
}

function isHost(host: string): boolean {
  const parts = HOST.exec(host);
  return parts !== null && Number(parts[1] ?? '0') <= 65535;
}

const refusal = (code: ProblemCode, detail: string): Refusal => ({ code, detail });
