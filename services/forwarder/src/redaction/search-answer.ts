import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from '@zeq/service-kit';
import type { ResponseHead } from '../answer/response-headers.ts';
import { contentEncodings, type Encoding, unpackedHeaders } from './content-encoding.ts';
import type { Matcher } from './matcher.ts';
import { redactHeaders } from './redact-headers.ts';

const PARTIAL_CONTENT = 206;

/**
 * Makes an answer's head fit to be handed on: without the secret, and without what will not be true of an unpacked body.
 *
 * @param head Is changed in place.
 * @returns How the body has to be unpacked before it is searched.
 * @throws ProblemError `upstream_invalid` when it cannot be.
 */
export function searchHead(
  head: ResponseHead,
  status: number,
  headers: IncomingHttpHeaders,
  secrets: Matcher,
): Encoding[] {
  const encodings = contentEncodings(headers['content-encoding']);
  if (encodings.length > 0) {
    if (status === PARTIAL_CONTENT)
      throw new ProblemError('upstream_invalid', 'The upstream answered with a part of packed bytes.');
    head.headers = unpackedHeaders(head.headers);
    head.contentLength = undefined;
  }
  redactHeaders(head.headers, secrets);
  return encodings;
}
