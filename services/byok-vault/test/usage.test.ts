import { jest } from '@jest/globals';
import { Usage, type UsageBatch, UsageSummary } from '@zeq/contracts';
import request from 'supertest';
import { ANONYMOUS, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';
import { newBatch, newCall, newInstance, newMinute } from './support/usage.ts';

jest.setTimeout(30_000);

const NOW = new Date('2026-03-10T12:34:56.789Z');
const MINUTE = Math.floor(NOW.getTime() / 60_000);

let now = NOW;
let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault({ now: () => now });
});
beforeEach(() => {
  now = NOW;
});
afterAll(() => vault.close());

const report = (batch: UsageBatch | object, iss: 'forwarder' | 'gateway' = 'forwarder') =>
  request(vault.app).post('/internal/usage').set('x-zeq-service', serviceToken(ANONYMOUS, iss)).send(batch);

async function setup() {
  const made = await vault.newMachine();
  const { slug, owner } = made;
  const register = async (name: string): Promise<string> => {
    const registration = { name, base_url: 'https://api.openai.com', auth_header: `X-Key: ${newCanary()}` };
    return (await owner.post(`/api/zeq/apis/${slug}`).send(registration).expect(201)).body.id;
  };
  return { ...made, register, apiId: await register('openai') };
}

describe('POST /internal/usage', () => {
  it('counts a batch once, however often and whenever it comes', async () => {
    const { owner, slug, apiId } = await setup();
    const instance = newInstance();
    const batch = newBatch({ minutes: [newMinute(apiId, MINUTE)], calls: [newCall(apiId)] }, instance, 1);

    const answers = await Promise.all(Array.from({ length: 4 }, () => report(batch).expect(200)));
    await report({ ...batch, seq: 2 }).expect(200, { counted: true });
    await report(batch).expect(200, { counted: false });

    expect(answers.map(({ body }) => body.counted).sort()).toEqual([false, false, false, true]);
    const { body } = await owner.get(`/api/zeq/apis/${slug}/openai/usage`).expect(200);
    expect(body.total).toMatchObject({ requests: 6, sent: 4, refused: { rate_limited: 2 } });
    expect((await owner.get(`/api/zeq/apis/${slug}/openai/activity`)).body.entries).toHaveLength(2);
  });

  it('counts batches of several forwarders side by side', async () => {
    const { owner, slug, apiId } = await setup();

    await Promise.all(
      Array.from({ length: 6 }, () => report(newBatch({ minutes: [newMinute(apiId, MINUTE)] })).expect(200)),
    );

    const { body } = await owner.get(`/api/zeq/apis/${slug}/${apiId}/usage`).expect(200);
    expect(body.total).toMatchObject({ requests: 18, bytes_out: 6 * 2 ** 40, tokens_in: 30 });
  });

  it('counts nothing more of an API that is gone, and still records its calls', async () => {
    const { owner, slug, apiId, register } = await setup();
    const gone = await register('gone');
    await report(newBatch({ minutes: [newMinute(gone, MINUTE)], calls: [newCall(gone)] })).expect(200);
    await owner.delete(`/api/zeq/apis/${slug}/gone`).expect(204);

    const parts = [apiId, gone].map((id) => [newMinute(id, MINUTE), newCall(id)] as const);
    await report(newBatch({ minutes: parts.map(([m]) => m), calls: parts.map(([, c]) => c) })).expect(200);

    const { body } = await owner.get(`/api/zeq/usage/${slug}`).expect(200);
    expect(body.apis.map(({ api_id }: { api_id: string }) => api_id)).toEqual([apiId]);
    expect(await vault.db.query('SELECT 1 FROM usage_minute WHERE api_id = $1', [gone])).toEqual([]);
    const audit = await owner.get(`/api/zeq/apis/${slug}/${gone}/audit`).expect(200);
    const numbers = audit.body.entries.map(({ number }: { number?: number }) => number);
    expect(numbers.filter((number: unknown) => number !== undefined)).toEqual([1, 2]);
  });

  it('is for forwarders, and for batches in their form', async () => {
    const { apiId } = await setup();
    const minute = newMinute(apiId, MINUTE);

    await report(newBatch({}), 'gateway').expect(401);
    for (const wrong of [
      { ...newBatch({}), seq: 0 },
      newBatch({ minutes: [minute, minute] }),
      newBatch({ minutes: [{ ...minute, latency: { '864': 1 } }] }),
      newBatch({ minutes: [{ ...minute, requests: -1 }] }),
      newBatch({ calls: [{ ...newCall(apiId), path: 'x'.repeat(257) }] }),
      { ...newBatch({}), more: 1 },
    ])
      expect((await report(wrong)).body.code).toBe('invalid_body');
  });
});

describe('GET …/:id/usage', () => {
  it('shows every step of the last hour, and what it adds up to', async () => {
    const { owner, slug, apiId } = await setup();
    const minutes = [newMinute(apiId, MINUTE - 3), newMinute(apiId, MINUTE)];
    await report(newBatch({ minutes })).expect(200);

    const { body } = await owner.get(`/api/zeq/apis/${slug}/openai/usage`).expect(200);

    expect(Usage.parse(body)).toEqual(body);
    expect(body).toMatchObject({ from: '2026-03-10T11:34:00.000Z', to: '2026-03-10T12:35:00.000Z' });
    expect(body.buckets).toHaveLength(61);
    expect(body.buckets.at(-1)).toEqual({
      at: '2026-03-10T12:34:00.000Z',
      requests: 3,
      sent: 2,
      status: { '1xx': 0, '2xx': 2, '3xx': 0, '4xx': 1, '5xx': 0, none: 0 },
      errors: 1,
      aborted: 0,
      refused: { rate_limited: 1 },
      websockets: 0,
      tests: 0,
      bytes_in: 10,
      bytes_out: 2 ** 40,
      latency_ms: { p50: 0.4, p95: 1.455, p99: 1.455 },
      tokens_in: 5,
      tokens_out: 7,
    });
    expect(body.buckets.at(-2)).toMatchObject({ requests: 0, latency_ms: null, refused: {} });
    expect(body.total).toMatchObject({ requests: 6, bytes_out: 2 ** 41, refused: { rate_limited: 2 } });
    expect(body.coarse_before).toBeNull();
  });

  it.each([
    ['from=2026-03-10T06:34:56Z&to=2026-03-10T12:00:00Z', 'minute', 326],
    ['from=2026-03-09T12:00:00%2B02:00&to=2026-03-10T12:00:00Z', 'hour', 26],
    ['from=2026-02-01T12:00:00Z', 'day', 38],
    ['from=2026-03-09T12:00:00Z&to=2026-03-10T12:00:00Z&step=minute', 'minute', 1440],
  ])('takes %s by the %s', async (query, step, buckets) => {
    const { owner, slug } = await setup();

    const { body } = await owner.get(`/api/zeq/apis/${slug}/openai/usage?${query}`).expect(200);

    expect([body.step, body.buckets.length]).toEqual([step, buckets]);
  });

  it.each([
    'from=yesterday',
    'to=2026-03-10',
    'step=week',
    'from=2026-03-11T00:00:00Z',
    'from=2026-03-01T00:00:00Z&step=minute',
    'what=else',
  ])('refuses %s', async (query) => {
    const { owner, slug } = await setup();

    const res = await owner.get(`/api/zeq/apis/${slug}/openai/usage?${query}`);

    expect([res.status, res.body.code]).toEqual([400, 'invalid_query']);
  });

  it('says from where on minutes are known, and loses nothing of what is older', async () => {
    const { owner, slug, apiId } = await setup();
    const days = (count: number) => MINUTE - count * 1440;
    const minutes = [1, 3, 80, 700].map((count) => newMinute(apiId, days(count)));
    await report(newBatch({ minutes })).expect(200);
    await vault.housekeeping.tidy();

    const from = '2026-03-07T12:30:00Z';
    const path = `/api/zeq/apis/${slug}/openai/usage?from=${from}`;
    const byMinute = await owner.get(`${path}&to=2026-03-07T13:30:00Z&step=minute`).expect(200);
    const byDay = await owner.get(`/api/zeq/apis/${slug}/openai/usage?from=2024-01-01T00:00:00Z`).expect(200);

    expect(byMinute.body.coarse_before).toBe('2026-03-08T12:00:00.000Z');
    expect(byDay.body).toMatchObject({ coarse_before: null, total: { requests: 12 } });
    expect(await vault.db.query('SELECT 1 FROM usage_minute WHERE api_id = $1', [apiId])).toHaveLength(1);
    expect(await vault.db.query('SELECT 1 FROM usage_hour WHERE api_id = $1', [apiId])).toHaveLength(1);
    expect(await vault.db.query('SELECT 1 FROM usage_day WHERE api_id = $1', [apiId])).toHaveLength(2);
  });

  it('is a file of CSV when asked, by the query or by Accept', async () => {
    const { owner, slug, apiId } = await setup();
    await report(newBatch({ minutes: [newMinute(apiId, MINUTE)] })).expect(200);
    const path = `/api/zeq/apis/${slug}/openai/usage`;

    const asked = await owner.get(`${path}?format=csv`).expect(200);
    const accepted = await owner.get(path).set('Accept', 'text/csv').expect(200);
    const page = await owner.get(path).set('Accept', 'text/html, text/csv;q=0.5').expect(200);

    expect(asked.headers['content-type']).toContain('text/csv');
    expect(asked.headers['content-disposition']).toBe('attachment; filename="openai-usage.csv"');
    expect(asked.text.split('\r\n').at(-2)).toBe(
      '2026-03-10T12:34:00.000Z,3,2,0,2,0,1,0,0,1,0,1,0,0,10,1099511627776,0.4,1.455,1.455,5,7',
    );
    expect(accepted.text).toBe(asked.text);
    expect(page.headers['content-type']).toContain('application/json');
  });
});

describe('GET /api/zeq/usage/:slug', () => {
  it('shows the last sixty minutes of every API that was called', async () => {
    const { owner, slug, apiId, register } = await setup();
    const [second] = [await register('usage'), await register('quiet')];
    const minutes = [newMinute(apiId, MINUTE), newMinute(apiId, MINUTE - 59), newMinute(second, MINUTE - 60)];
    await report(newBatch({ minutes: [...minutes, newMinute(second, MINUTE + 5)] })).expect(200);

    const { body } = await owner.get(`/api/zeq/usage/${slug}`).expect(200);

    expect(UsageSummary.parse(body)).toEqual(body);
    expect(body.from).toBe('2026-03-10T11:35:00.000Z');
    const zeros = new Array(58).fill(0);
    expect(body.apis.find((api: { api_id: string }) => api.api_id === apiId)).toEqual({
      api_id: apiId,
      requests: [3, ...zeros, 3],
      errors: [1, ...zeros, 1],
    });
    expect(body.apis).toHaveLength(1);
  });

  it('shows nothing of another machine', async () => {
    const [mine, other] = [await setup(), await setup()];
    await report(newBatch({ minutes: [newMinute(mine.apiId, MINUTE)] })).expect(200);

    const { body } = await other.owner.get(`/api/zeq/usage/${other.slug}`).expect(200);

    expect(body.apis).toEqual([]);
    await other.owner.get(`/api/zeq/apis/${other.slug}/${mine.apiId}/usage`).expect(404);
    await other.owner.get(`/api/zeq/apis/${other.slug}/${mine.apiId}/activity`).expect(404);
  });
});
