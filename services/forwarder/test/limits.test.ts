import type { OwnerCaller } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { requireShare } from '../src/limits/limits.ts';
import { Returns } from '../src/limits/returns.ts';
import { Rig, SLUG, until } from './rig.ts';
import { RawUpstream, Upstream } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start({ maxCalls: 60 }), new Upstream().open()]);
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

const codeOf = (res: Response): string => res.headers.get('x-zeq-error') ?? String(res.status);
const codes = (answers: Response[]) => counted(answers.map(codeOf));

function counted(outcomes: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

describe('room in the record', () => {
  it('is needed by every call: without it nothing goes out, and the refusal itself is not recorded', async () => {
    let hasRoom = true;
    const full = await Rig.start({ canRecord: () => hasRoom });
    const id = full.register({ base_url: upstream.url });
    await full.fetch(id, '/before');
    hasRoom = false;
    const sent = upstream.seen.length;

    const refused = await full.fetch(id, '/now');
    hasRoom = true;
    const again = await full.fetch(id, '/after');
    await full.usage.stop();

    expect([refused.status, codeOf(refused), refused.headers.get('retry-after')]).toEqual([
      503,
      'overloaded',
      '1',
    ]);
    expect([again.status, upstream.seen.length - sent]).toEqual([200, 1]);
    expect(full.reports.flatMap(({ calls }) => calls.map(({ path }) => path))).toEqual(['/before', '/after']);
    await full.stop();
  });
});

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

  it('of a machine is as many as it leaves free; another machine gets in all the same', async () => {
    const slow = await new RawUpstream(() => undefined).open();
    const bob: OwnerCaller = { ...rig.owner, machine_id: newId('mch') };
    const [ofAlice, ofBob] = [rig.machineId, bob.machine_id].map((machine_id) =>
      rig.vault.register({ base_url: slow.url, machine_id, slug: SLUG }),
    ) as [string, string];
    const all = new AbortController();
    const call = (id: string, caller?: OwnerCaller) =>
      rig.fetch(id, '/x', { signal: all.signal }, caller).then(codeOf, () => 'left');

    const alices = Array.from({ length: 40 }, () => call(ofAlice));
    await until(() => slow.sockets.size === 30, 'half of all places');
    const bobs = Array.from({ length: 20 }, () => call(ofBob, bob));
    await until(() => slow.sockets.size === 45, 'half of the other half');
    const refused = await rig.fetch(ofAlice, '/x');
    all.abort();

    expect(counted(await Promise.all(alices))).toEqual({ concurrency_limited: 10, left: 30 });
    expect(counted(await Promise.all(bobs))).toEqual({ concurrency_limited: 5, left: 15 });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    await until(() => rig.plane.live.size === 0, 'no open calls');
    await slow.close();
  });
});

describe('requireShare', () => {
  it.each([
    [0, 0, 10, undefined],
    [4, 4, 10, undefined],
    [5, 5, 10, 'concurrency_limited'],
    [0, 9, 10, undefined],
    [1, 9, 10, 'concurrency_limited'],
    [0, 10, 10, 'overloaded'],
    [3, 11, 10, 'overloaded'],
  ])('of a machine with %d of %d open calls, of at most %d, says %s', (calls, open, most, code) => {
    const share = () => requireShare({ calls, returns: new Returns() }, open, most, 0);

    if (code === undefined) expect(share).not.toThrow();
    else expect(share).toThrow(expect.objectContaining({ code }));
  });

  it('lets any number of machines that want everything come to equal parts, with one part free', () => {
    const tenants = Array.from({ length: 4 }, () => ({ calls: 0, returns: new Returns() }));
    let open = 0;

    for (let round = 0; round < 1_000; round += 1)
      for (const tenant of tenants) {
        if (refuses(() => requireShare(tenant, open, 1_000, 0))) continue;
        tenant.calls += 1;
        open += 1;
      }

    expect(tenants.map(({ calls }) => calls)).toEqual([200, 200, 200, 200]);
  });
});

describe('callers who are refused', () => {
  it('are told to come back one after the other, at most 100 in a second and within half a minute', () => {
    const returns = new Returns();
    const told = Array.from({ length: 10_000 }, () => returns.nextSeconds(5_000));

    expect([told[0], told[99], told[100]]).toEqual([1, 1, 2]);
    expect(told.filter((seconds) => seconds === 9)).toHaveLength(100);
    expect(Math.max(...told)).toBe(30);
  });

  it('are told one second again when the crowd has passed', () => {
    const returns = new Returns();
    for (let caller = 0; caller < 1_000; caller += 1) returns.nextSeconds(0);

    expect(returns.nextSeconds(10_000)).toBe(1);
  });
});

function refuses(what: () => void): boolean {
  try {
    what();
    return false;
  } catch {
    return true;
  }
}
