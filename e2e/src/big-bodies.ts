import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';
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

/** GETs a body. @returns Its length and hash; nothing of it is kept. */
export async function getHashed(url: string, token: string): Promise<{ bytes: number; sha256: string }> {
  const get = request(url, { headers: { authorization: `Bearer ${token}` } });
  const answer = responseOf(get);
  get.end();
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of await answer) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  return { bytes, sha256: hash.digest('hex') };
}

const responseOf = (call: ReturnType<typeof request>) =>
  new Promise<AsyncIterable<unknown>>((resolve, reject) => {
    call.on('response', resolve);
    call.on('error', reject);
  });
