import { jest } from '@jest/globals';
import { ActivityPage, type RecordedCall } from '@zeq/contracts';
import request from 'supertest';
import { ANONYMOUS, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';
import { newBatch, newCall } from './support/usage.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

/** A machine with an API and the routes of its activity. */
async function setup() {
  const { slug, owner } = await vault.newMachine();
  const registration = {
    name: 'openai',
    base_url: 'https://api.openai.com',
    auth_header: `K: ${newCanary()}`,
  };
  const { body } = await owner.post(`/api/zeq/apis/${slug}`).send(registration).expect(201);
  const path = `/api/zeq/apis/${slug}/openai/activity`;
  return {
    report: (calls: Partial<RecordedCall>[]) =>
      request(vault.app)
        .post('/internal/usage')
        .set('x-zeq-service', serviceToken(ANONYMOUS, 'forwarder'))
        .send(newBatch({ calls: calls.map((call) => newCall(body.id, call)) }))
        .expect(200),
    get: (query = '') => owner.get(path + query),
    page: async (query = ''): Promise<ActivityPage> => (await owner.get(path + query).expect(200)).body,
  };
}

const paths = ({ entries }: ActivityPage) => entries.map(({ path }) => path);

describe('GET …/:id/activity', () => {
  it('is empty before the first call', async () => {
    const { page } = await setup();

    expect(await page()).toEqual({ entries: [], next: null, latest: '0' });
  });

  it('shows what a call was, and nothing else', async () => {
    const { report, page } = await setup();
    await report([
      {
        caller_id: `tok_${'t'.repeat(22)}`,
        status: 429,
        outcome: 'refused',
        code: 'rate_limited',
        path: '/x',
      },
      { caller_id: `key_${'k'.repeat(22)}`, status: 0, outcome: 'aborted', tokens_out: 3 },
    ]);

    const body = await page();

    expect(ActivityPage.parse(body)).toEqual(body);
    expect(body.entries).toEqual([
      {
        id: '2',
        at: '2026-01-02T03:04:05.678Z',
        kind: 'call',
        caller: { kind: 'key', id: `key_${'k'.repeat(22)}`, name: null, prefix: null },
        method: 'POST',
        path: '/v1/chat/completions',
        status: null,
        outcome: 'aborted',
        said_no: null,
        code: null,
        duration_ms: 12.5,
        bytes_in: 100,
        bytes_out: 2000,
        tokens_in: 5,
        tokens_out: 3,
        request_id: 'req-1',
      },
      expect.objectContaining({
        id: '1',
        caller: { kind: 'token', id: `tok_${'t'.repeat(22)}`, name: null, prefix: null },
        status: 429,
        said_no: 'mesh',
        code: 'rate_limited',
      }),
    ]);
  });

  it('is read page by page, each call once, while others are added', async () => {
    const { report, page } = await setup();
    await report(Array.from({ length: 7 }, (_, i) => ({ path: `/${i}` })));

    const first = await page('?limit=3');
    await report([{ path: '/new' }]);
    const second = await page(`?limit=3&before=${first.next}`);
    const third = await page(`?limit=3&before=${second.next}`);

    expect([first, second, third].map(paths)).toEqual([['/6', '/5', '/4'], ['/3', '/2', '/1'], ['/0']]);
    expect(third.next).toBeNull();
  });

  it('is followed without a gap, however many came at once and whatever the filter', async () => {
    const { report, page } = await setup();
    await report([{ path: '/0' }]);
    let { latest } = await page();
    const seen: string[] = [];
    const follow = async (filter = '') => {
      const answer = await page(`?limit=2&after=${latest}${filter}`);
      seen.push(...paths(answer).toReversed());
      latest = answer.latest;
      return answer.entries.length;
    };

    expect(await follow()).toBe(0);
    await report(Array.from({ length: 5 }, (_, i) => ({ path: `/${i + 1}` })));
    while ((await follow()) > 0);
    expect(seen).toEqual(['/1', '/2', '/3', '/4', '/5']);
    await report([{ path: '/no' }, { path: '/yes', method: 'GET' }, { path: '/no' }]);
    expect(await follow('&method=GET')).toBe(1);
    expect(await follow()).toBe(0);
  });

  it('keeps exactly the latest ten thousand', async () => {
    const { report, page, get } = await setup();
    for (let i = 0; i < 5; i += 1) await report(Array.from({ length: 2_000 }, () => ({ method: 'GET' })));
    await report([{ path: '/last' }, { path: '/last' }]);

    const all = await page('?limit=10000');
    const oldest = await page('?before=4&limit=10');
    const lines = (await get('?format=csv').expect(200)).text.split('\r\n').length - 2;

    expect([all.entries.length, all.entries[0]!.id, all.entries.at(-1)!.id]).toEqual([10_000, '10002', '3']);
    expect([all.next, oldest.next]).toEqual([null, null]);
    expect(oldest.entries.map(({ id }) => id)).toEqual(['3']);
    expect(lines).toBe(10_000);
  });

  it('is filtered', async () => {
    const { report, page } = await setup();
    await report([
      { path: '/a', status: 200 },
      { path: '/b', status: 404, method: 'GET' },
      { path: '/c', status: 503, outcome: 'refused', code: 'circuit_open' },
    ]);

    expect(paths(await page('?status=4xx'))).toEqual(['/b']);
    expect(paths(await page('?said_no=mesh'))).toEqual(['/c']);
    expect(paths(await page('?said_no=upstream&method=GET&path=B'))).toEqual(['/b']);
    expect(paths(await page('?outcome=ok'))).toEqual(['/b', '/a']);
    expect(paths(await page('?kind=websocket'))).toEqual([]);
  });

  it.each(['limit=0', 'limit=10001', 'before=x', 'status=2', 'method=get', 'caller=me', 'path=', 'q=1'])(
    'refuses %s',
    async (query) => {
      const { get } = await setup();

      const res = await get(`?${query}`);

      expect([res.status, res.body.code]).toEqual([400, 'invalid_query']);
    },
  );

  it('is a file of CSV that a spreadsheet does not run', async () => {
    const { report, get } = await setup();
    await report([
      { path: '/plain', tokens_in: null },
      { path: '=1+1' },
      { path: '/a,"b"' },
      { path: ' @SUM(A1)' },
      { path: '-2', method: '+X' },
    ]);

    const res = await get('?format=csv').expect(200);

    expect(res.headers['content-type']).toContain('text/csv');
    expect(res.headers['content-disposition']).toBe('attachment; filename="openai-activity.csv"');
    const [names, ...lines] = res.text.split('\r\n');
    expect(names).toBe(
      'at,kind,caller_kind,caller_id,caller_name,caller_prefix,method,path,status,outcome,said_no,code,duration_ms,bytes_in,bytes_out,tokens_in,tokens_out,request_id',
    );
    const cells = lines.slice(0, -1).map((line) => line.replace(/^.*?,key_\w+,,,/, ''));
    expect(cells).toEqual([
      "'+X,'-2,200,ok,,,12.5,100,2000,5,,req-1",
      "POST,' @SUM(A1),200,ok,,,12.5,100,2000,5,,req-1",
      'POST,"/a,""b""",200,ok,,,12.5,100,2000,5,,req-1',
      "POST,'=1+1,200,ok,,,12.5,100,2000,5,,req-1",
      'POST,/plain,200,ok,,,12.5,100,2000,,,req-1',
    ]);
  });
});
