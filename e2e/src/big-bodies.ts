import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { patternStream } from './byte-upstream.ts';

const MIB = 2 ** 20;

/** Memory that a process may take on top while a body of any size passes. */
export const FLAT_BYTES = 64 * MIB;

export const GIB_2 = 2 * 2 ** 30;
export const MIB_256 = 256 * MIB;

/** PUTs the pattern. @returns What the upstream counted and hashed. */
export async function putPattern(
  url: string,
  token: string,
  bytes: number,
): Promise<{ bytes: number; sha256: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-length': bytes };
  const put = request(url, { method: 'PUT', headers });
  const answer = responseOf(put);
  await pipeline(patternStream(bytes), put);
  let text = '';
  for await (const chunk of await answer) text += chunk;
  return JSON.parse(text) as { bytes: number; sha256: string };
}

/**
 * GETs a body. A 503 with `Retry-After` is waited for, as a caller would: a mesh that stood still on a busy machine first asks
 * its vault again.
 *
 * @returns Its length and hash; nothing of it is kept.
 * @throws Error with the answer's own text when it is no body.
 */
export async function getHashed(
  url: string,
  token: string,
  attempts = 5,
): Promise<{ bytes: number; sha256: string }> {
  const get = request(url, { headers: { authorization: `Bearer ${token}` } });
  const coming = responseOf(get);
  get.end();
  const answer = await coming;
  if (answer.statusCode === 200) return hashOf(answer);
  let text = '';
  for await (const chunk of answer) text += chunk;
  if (answer.statusCode !== 503 || attempts === 1) throw new Error(`${answer.statusCode} ${text}`);
  await sleep(1000 * Number(answer.headers['retry-after'] ?? 1));
  return getHashed(url, token, attempts - 1);
}

async function hashOf(answer: IncomingMessage): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  return { bytes, sha256: hash.digest('hex') };
}

const responseOf = (call: ReturnType<typeof request>) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    call.on('response', resolve);
    call.on('error', reject);
  });
