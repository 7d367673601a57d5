import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { ProblemError } from './problem.ts';

export interface StrictJsonOptions {
  /** Largest body, in bytes. */
  maxBytes: number;
  /** Deepest nesting of arrays and objects. */
  maxDepth?: number;
  /** Most names, objects and arrays together. Each costs a hundred times what a number in a list does. */
  maxParts?: number;
  /** How long the whole body may take (ms). */
  deadlineMs?: number;
}

const MAX_DEPTH = 64;
const DEADLINE_MS = 30_000;
/** `application/json`, at most with a charset, and that UTF-8 (RFC 8259 section 8.1). */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * A body parser that refuses what two readers might understand differently: another media type or charset, a content
 * encoding, bytes that are not UTF-8, a byte order mark, a name given twice, `__proto__`, deep nesting. A request without
 * a body leaves `req.body` undefined.
 */
export function strictJson({
  maxBytes,
  maxDepth = MAX_DEPTH,
  maxParts = Number.POSITIVE_INFINITY,
  deadlineMs = DEADLINE_MS,
}: StrictJsonOptions): RequestHandler {
  return async function readStrictJson(req, _res, next) {
    if (!hasBody(req)) return next();
    refuseMediaType(req);
    req.body = parseStrictJson(await readBody(req, maxBytes, deadlineMs), maxDepth, maxParts);
    next();
  };
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function refuseMediaType({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ProblemError('unsupported_media_type', 'Send the body without a Content-Encoding.');
  if (!JSON_TYPE.test(headers['content-type'] ?? ''))
    throw new ProblemError('unsupported_media_type', 'Send the body as application/json in UTF-8.');
}

/**
 * Collects a body, bounded in size and time.
 *
 * @param admit Asked for every piece; says why there is no room for it.
 * @throws ProblemError `payload_too_large`, `request_timeout`, what `admit` says, or `bad_request` when the sender leaves.
 */
export function readBody(
  req: IncomingMessage,
  maxBytes: number,
  deadlineMs = DEADLINE_MS,
  admit?: (bytes: number) => ProblemError | undefined,
): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const deadline = setTimeout(
      () => end(new ProblemError('request_timeout', 'The body took too long.')),
      deadlineMs,
    );
    const end = (problem?: ProblemError) => {
      clearTimeout(deadline);
      req.off('data', collect).off('end', finish).off('close', leave);
      if (problem === undefined) return resolve(Buffer.concat(chunks, bytes));
      req.pause();
      reject(problem);
    };
    const collect = (chunk: Buffer) => {
      bytes += chunk.length;
      const refusal = bytes > maxBytes ? tooLarge(maxBytes) : admit?.(chunk.length);
      if (refusal !== undefined) return end(refusal);
      chunks.push(chunk);
    };
    const finish = () => end();
    const leave = () => end(new ProblemError('bad_request', 'The body ended before its stated length.'));
    req.on('data', collect).on('end', finish).on('close', leave);
  });
}

const tooLarge = (maxBytes: number) =>
  new ProblemError('payload_too_large', `The body may have at most ${maxBytes} bytes.`);

/** Parses bytes as JSON under the rules above. @throws ProblemError `invalid_json`; no value of the text is repeated. */
export function parseStrictJson(
  bytes: Uint8Array,
  maxDepth = MAX_DEPTH,
  maxParts = Number.POSITIVE_INFINITY,
): unknown {
  const text = decodeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProblemError('invalid_json', 'The body is not valid JSON.');
  }
  refuseAmbiguity(text, value, maxDepth, maxParts);
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProblemError('invalid_json', 'The body is not UTF-8.');
  }
}

/** @throws ProblemError for doubled names, names that reach a prototype, deep nesting, and more parts than are allowed. */
function refuseAmbiguity(text: string, value: unknown, maxDepth: number, maxParts: number): void {
  const names = countNames(text);
  if (names > maxParts) throw tooMany(maxParts);
  const kept = countParts(value, '', 0, { names: 0, containers: 0, maxDepth });
  if (names + kept.containers > maxParts) throw tooMany(maxParts);
  // the parser keeps the last one of those that are the same, whatever escapes they are written with
  if (kept.names < names) throw new ProblemError('invalid_json', 'The body gives a name twice.');
}

interface Parts {
  names: number;
  /** Objects and lists. */
  containers: number;
  readonly maxDepth: number;
}

/** Adds up what is in a value. @param name Under which it stands. @param depth Of what it stands in. */
function countParts(value: unknown, name: string, depth: number, parts: Parts): Parts {
  if (typeof value !== 'object' || value === null) return parts;
  if (depth >= parts.maxDepth) throw tooDeep(parts.maxDepth);
  parts.containers += 1;
  if (Array.isArray(value)) {
    for (const part of value) countParts(part, '', depth + 1, parts);
    return parts;
  }
  for (const inner of Object.keys(value)) {
    refuseName(inner, name);
    parts.names += 1;
    countParts((value as Record<string, unknown>)[inner], inner, depth + 1, parts);
  }
  return parts;
}

/** How many names text has that is known to be JSON: a string is one when a colon follows. */
function countNames(text: string): number {
  let names = 0;
  for (let quote = text.indexOf('"'); quote !== -1; ) {
    const end = endOfString(text, quote);
    if (isName(text, end)) names += 1;
    quote = text.indexOf('"', end);
  }
  return names;
}

/** The index behind the closing quote. It leaps from quote to quote: a string may be megabytes of base64. */
function endOfString(text: string, start: number): number {
  let i = text.indexOf('"', start + 1);
  while (isEscaped(text, i)) i = text.indexOf('"', i + 1);
  return i + 1;
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let i = at;
  while (text[i - 1] === '\\') i -= 1;
  return (at - i) % 2 === 1;
}

function isName(text: string, end: number): boolean {
  let i = end;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i += 1;
  return text[i] === ':';
}

function refuseName(name: string, parent: string): void {
  if (name === '__proto__' || (name === 'prototype' && parent === 'constructor'))
    throw new ProblemError('invalid_json', 'The body has a name that is not allowed in JSON here.');
}

const tooDeep = (maxDepth: number) =>
  new ProblemError('invalid_json', `The body is nested deeper than ${maxDepth} levels.`);

const tooMany = (maxParts: number) =>
  new ProblemError('invalid_json', `The body has more than ${maxParts} names, objects and lists.`);
