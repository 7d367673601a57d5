import { createHash } from 'node:crypto';
import { Agent } from 'undici';
import { until } from '../../e2e/src/until.ts';
import { type Ask, makeCall } from '../src/load/call.ts';
import { CALL_ID, isWholeStream, Upstream } from '../src/upstream.ts';

const agent = new Agent();
let upstream: Upstream;

beforeAll(async () => {
  upstream = await new Upstream((key) => key === 'known').open();
});
afterAll(async () => {
  await agent.destroy();
  await upstream.close();
});

const ask = (id: string, path: string, more: Partial<Ask> = {}) =>
  makeCall(agent, 'call', id, {
    method: 'GET',
    url: upstream.origin + path,
    headers: { 'x-key': 'known', [CALL_ID]: id },
    ...more,
  });

describe('the counting upstream', () => {
  it('answers the digest of what it was sent', async () => {
    const body = 'a body';
    const sha256 = createHash('sha256').update(body).digest('hex');
    const judge = (text: string) => (text === JSON.stringify({ bytes: 6, sha256 }) ? undefined : text);

    expect(await ask('echo', '/echo', { method: 'POST', body, judge })).toMatchObject({ outcome: 'ok' });
  });

  it('states the digest of its streams', async () => {
    const judge = (text: string) => (isWholeStream(text) ? undefined : text);

    expect(await ask('stream', '/stream?ms=200', { judge })).toMatchObject({ outcome: 'ok' });
  });

  it('counts what may not come twice, and notes who has no credential', async () => {
    for (const method of ['POST', 'POST', 'GET', 'GET'] as const)
      await ask(`twice ${method}`, '/hello', { method });
    await ask('stranger', '/hello', { headers: {} });

    expect(upstream.duplicates()).toEqual(['twice POST']);
    expect(upstream.strangers).toEqual(['GET /hello']);
  });

  it('notes when a caller leaves before its answer', async () => {
    const leave = new AbortController();
    const left = ask('leaver', '/never', { signal: leave.signal });
    await until(() => upstream.arrivals.has('leaver'));
    expect(upstream.arrivals.get('leaver')?.leftAt).toBeUndefined();

    leave.abort();

    expect((await left).outcome).toBe('broken');
    await until(() => upstream.arrivals.get('leaver')?.leftAt !== undefined);
  });
});
