import { Rig, until } from './rig.ts';
import { RawUpstream, Upstream } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start({ maxCalls: 60 }), new Upstream().open()]);
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

function codes(answers: Response[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const res of answers) {
    const code = res.headers.get('x-zeq-error') ?? String(res.status);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

describe('rate_limit_per_min', () => {
  it('admits exactly so many of many at once, across forwarding and /test', async () => {
    const id = rig.register({ base_url: upstream.url, rate_limit_per_min: 20 });
    const test = () =>
      fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/${id}/test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token() },
        body: '{}',
      });

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? test() : rig.fetch(id, '/x'))),
    );

    expect(codes(answers)).toEqual({ 200: 20, rate_limited: 30 });
  });

  it('says when to come back', async () => {
    const id = rig.register({ base_url: upstream.url, rate_limit_per_min: 1 });

    await rig.fetch(id, '/x');
    const res = await rig.fetch(id, '/x');

    const wait = Number(res.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(55);
    expect(wait).toBeLessThanOrEqual(61);
    expect(res.headers.get('ratelimit-policy')).toBe('"api";q=1;w=60');
    expect(res.headers.get('ratelimit')).toBe(`"api";r=0;t=${wait}`);
  });

  it('is not used up by calls that another rule refuses', async () => {
    const id = rig.register({ base_url: upstream.url, rate_limit_per_min: 1 });

    await rig.fetch(id, '/a%5cb');
    const exhausted = rig.app([id], { rate_limit_per_min: 1, allowed_path_prefixes: ['/ok/'] });
    await rig.fetch(id, '/no', {}, exhausted);

    expect((await rig.fetch(id, '/x')).status).toBe(200);
  });

  it('is not begun anew by a changed lease', async () => {
    const id = rig.register({ base_url: upstream.url, rate_limit_per_min: 1 });

    await rig.fetch(id, '/x');
    rig.vault.patch(id, { extra_headers: { 'x-a': '1' } });
    await until(
      () => rig.plane.leases.held(rig.machineId, id, performance.now()) === undefined,
      'the change',
    );

    expect((await rig.fetch(id, '/x')).status).toBe(429);
  });
});

describe('the limit of calls in flight', () => {
  it('of an API refuses one more, and lets it in when one has ended', async () => {
    const slow = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: slow.url, policy: { concurrency: 2 } });
    const [one, two] = [new AbortController(), new AbortController()];
    const open = [one, two].map(({ signal }) => rig.fetch(id, '/x', { signal }).catch(() => undefined));
    await until(() => slow.sockets.size === 2, 'two calls');

    const refused = await rig.fetch(id, '/x');
    one.abort();
    await until(() => rig.plane.live.size === 1, 'one less');
    const admitted = rig.fetch(id, '/x', { signal: two.signal }).catch(() => undefined);
    await until(() => rig.plane.live.size === 2, 'one more');
    two.abort();

    expect([refused.status, refused.headers.get('x-zeq-error'), refused.headers.get('retry-after')]).toEqual([
      429,
      'concurrency_limited',
      '1',
    ]);
    await Promise.all([...open, admitted]);
    await slow.close();
  });

  it('of the process answers 503 overloaded', async () => {
    const slow = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: slow.url });
    const all = new AbortController();
    const open = Array.from({ length: 60 }, () =>
      rig.fetch(id, '/x', { signal: all.signal }).catch(() => undefined),
    );
    await until(() => rig.plane.live.size === 60, 'sixty calls');

    const refused = await rig.fetch(id, '/x');

    expect([refused.status, refused.headers.get('x-zeq-error')]).toEqual([503, 'overloaded']);
    all.abort();
    await Promise.all(open);
    await until(() => rig.plane.live.size === 0, 'no open calls');
    await slow.close();
  });
});
