import type { Socket } from 'node:net';
import type { TestResult } from '@zeq/contracts';
import { Rig, until } from './rig.ts';
import { RawUpstream } from './upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BROKEN = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok';
const policy = { circuit_failures: 3 };

type Mood = (socket: Socket) => void;
const answers: Mood = (socket) => void socket.write(OK);
const breaks: Mood = (socket) => void socket.end();
const breaksOff: Mood = (socket) => void socket.end(BROKEN);

let rig: Rig;
const clock = { now: 0 };
let mood: Mood = answers;
let upstream: RawUpstream;
let requests = 0;

beforeAll(async () => {
  upstream = await new RawUpstream((socket) => {
    requests += 1;
    mood(socket);
  }).open();
  rig = await Rig.start({ allow: '127.0.0.1, gone.example.net', now: () => clock.now });
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

/** `200`, a problem code, or `broken`. */
async function outcomeOf(id: string, init: RequestInit = {}): Promise<string> {
  try {
    const res = await rig.fetch(id, '/x', init);
    await res.text();
    return res.headers.get('x-zeq-error') ?? String(res.status);
  } catch {
    return 'broken';
  }
}

async function outcomesOf(id: string, calls: number): Promise<string[]> {
  const outcomes: string[] = [];
  for (let i = 0; i < calls; i += 1) outcomes.push(await outcomeOf(id));
  return outcomes;
}

describe('an upstream that fails call after call', () => {
  it.each<[string, Mood, string]>([
    ['before its answer', breaks, 'upstream_reset'],
    ['inside its answer', breaksOff, 'broken'],
    ['with bytes that are no answer', (socket) => socket.end('no HTTP\r\n\r\n'), 'upstream_invalid'],
  ])('%s is left alone after the stated count', async (_when, failing, outcome) => {
    mood = failing;
    const id = rig.register({ base_url: upstream.url, policy });

    const outcomes = await outcomesOf(id, 3);
    const before = requests;
    const held = await outcomesOf(id, 5);

    expect(outcomes).toEqual(Array(3).fill(outcome));
    expect([held, requests - before]).toEqual([Array(5).fill('circuit_open'), 0]);
  });

  it('as a name that does not resolve is asked for no more', async () => {
    const id = rig.register({ base_url: 'http://gone.example.net:80', policy });

    await outcomesOf(id, 3);
    const asked = rig.dns.queries.length;

    expect([await outcomeOf(id), rig.dns.queries.length - asked]).toEqual(['circuit_open', 0]);
  });

  it('answers 503 with the time to come back', async () => {
    mood = breaks;
    const id = rig.register({ base_url: upstream.url, policy });
    await outcomesOf(id, 3);

    const res = await rig.fetch(id, '/x');

    expect([res.status, res.headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('gets one probe when the time has come, and everything once that is answered', async () => {
    mood = breaks;
    const id = rig.register({ base_url: upstream.url, policy });
    await outcomesOf(id, 3);
    clock.now += 1_000;
    const waiting: Socket[] = [];
    mood = (socket) => void waiting.push(socket);

    const probe = outcomeOf(id);
    await until(() => waiting.length === 1, 'the probe');
    const meanwhile = await outcomesOf(id, 3);
    mood = answers;
    waiting[0]!.write(OK);

    expect(meanwhile).toEqual(Array(3).fill('circuit_open'));
    expect([await probe, ...(await outcomesOf(id, 3))]).toEqual(Array(4).fill('200'));
  });

  it('gives the probe to the next call when its caller leaves', async () => {
    mood = breaks;
    const id = rig.register({ base_url: upstream.url, policy });
    await outcomesOf(id, 3);
    clock.now += 1_000;
    mood = () => undefined;
    const leaving = new AbortController();

    const probe = outcomeOf(id, { signal: leaving.signal });
    await until(() => rig.plane.live.size === 1, 'the probe');
    leaving.abort();
    await probe;
    await until(() => rig.plane.live.size === 0, 'its end');
    mood = answers;

    expect(await outcomeOf(id)).toBe('200');
  });

  it('is not left by its other APIs, and not by this one once it is changed', async () => {
    mood = breaks;
    const id = rig.register({ base_url: upstream.url, policy });
    const other = rig.register({ base_url: upstream.url, policy });
    await outcomesOf(id, 4);
    mood = answers;

    const ofOther = await outcomeOf(other);
    const { closed } = rig.plane.circuits.changes;
    rig.vault.patch(id, { extra_headers: { 'x-a': '1' } });
    await until(() => rig.plane.circuits.changes.closed > closed, 'the change');

    expect([ofOther, await outcomeOf(id)]).toEqual(['200', '200']);
  });

  it('holds back tests and sockets as well', async () => {
    mood = breaks;
    const id = rig.register({ base_url: upstream.url, policy });
    const test = () =>
      fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/${id}/test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token() },
        body: '{}',
      });
    const steps = [];
    for (let i = 0; i < 3; i += 1) steps.push(((await (await test()).json()) as TestResult).failed_step);

    const tested = await test();
    const upgraded = await rig.raw(
      rig.head('GET', id, '/x', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']),
    );

    expect(steps).toEqual(Array(3).fill('response'));
    expect([tested.status, tested.headers.get('x-zeq-error')]).toEqual([503, 'circuit_open']);
    expect(upgraded).toMatch(/^HTTP\/1.1 503 [\s\S]*circuit_open/);
  });
});

describe('an upstream that answers', () => {
  it('with a 500 each time is not held back: its callers see its own words', async () => {
    mood = (socket) => void socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n');
    const id = rig.register({ base_url: upstream.url, policy });

    expect(await outcomesOf(id, 10)).toEqual(Array(10).fill('500'));
  });

  it('is not held back for callers who leave', async () => {
    mood = () => undefined;
    const id = rig.register({ base_url: upstream.url, policy });
    for (let i = 0; i < 5; i += 1) {
      const leaving = new AbortController();
      const call = outcomeOf(id, { signal: leaving.signal });
      await until(() => rig.plane.live.size === 1, 'the call');
      leaving.abort();
      await call;
      await until(() => rig.plane.live.size === 0, 'its end');
    }
    mood = answers;

    expect(await outcomeOf(id)).toBe('200');
  });
});

describe('what circuits do', () => {
  it('is counted by state, and said in the log without anything of the upstream', async () => {
    mood = breaks;
    const before = { ...rig.plane.circuits.changes };
    const id = rig.register({ base_url: upstream.url, policy });
    rig.lines.length = 0;
    await outcomesOf(id, 4);
    clock.now += 1_000;
    mood = answers;
    await outcomeOf(id);

    const after = rig.plane.circuits.changes;
    const said = rig.lines.filter((line) => line.includes('"api_id"'));
    expect([
      after.open - before.open,
      after.half_open - before.half_open,
      after.closed - before.closed,
    ]).toEqual([1, 1, 1]);
    expect(said).toHaveLength(2);
    for (const line of said) expect(line).not.toContain('127.0.0.1');
  });
});
