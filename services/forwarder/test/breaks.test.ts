import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig, until } from './rig.ts';
import { RawUpstream, Upstream } from './upstream.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start({ allow: '127.0.0.1, ::1, two.example.net' });
});

afterAll(() => rig.stop());

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';

/** How a call ends: with a status, or with a break after some bytes of its body. */
async function outcomeOf(id: string, init: RequestInit = {}): Promise<string> {
  try {
    const res = await rig.fetch(id, '/x', init);
    const error = res.headers.get('x-zeq-error');
    return error === null ? `${res.status} ${await res.text()}` : `${res.status} ${error}`;
  } catch {
    return 'broken';
  }
}

type Break = (socket: Socket) => void;
const reset: Break = (socket) => void setTimeout(() => socket.resetAndDestroy(), 5);
const end: Break = (socket) => void socket.end();
const after =
  (text: string, then: Break): Break =>
  (socket) =>
    void socket.write(text, () => then(socket));

describe('an upstream that breaks', () => {
  it.each<[string, Break, string]>([
    ['before the status, by reset', reset, '502 upstream_reset'],
    ['before the status, by closing', end, '502 upstream_reset'],
    ['inside the head, by reset', after('HTTP/1.1 200 OK\r\nX-A: b', reset), '502 upstream_reset'],
    [
      'inside a body with a length, by reset',
      after('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', reset),
      'broken',
    ],
    [
      'inside a body with a length, by closing',
      after('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', end),
      'broken',
    ],
    ['between chunks, by reset', after(CHUNKED, reset), 'broken'],
    ['between chunks, by closing', after(CHUNKED, end), 'broken'],
    ['inside a chunk', after(`${CHUNKED}5\r\nhe`, end), 'broken'],
    ['inside a body without a length, by reset', after('HTTP/1.1 200 OK\r\n\r\nhello', reset), 'broken'],
    [
      'never: its closing ends a body without a length',
      after('HTTP/1.1 200 OK\r\n\r\nhello', end),
      '200 hello',
    ],
  ])('%s', async (_when, answer, outcome) => {
    const upstream = await new RawUpstream(answer).open();

    expect(await outcomeOf(rig.register({ base_url: upstream.url }))).toBe(outcome);
    await upstream.close();
  });

  it('inside a stream of events does so visibly, 200 times of 200', async () => {
    const upstream = await new RawUpstream(
      after(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n',
        reset,
      ),
    ).open();
    const id = rig.register({ base_url: upstream.url, policy: { circuit_failures: 0 } });

    const outcomes = await Promise.all(Array.from({ length: 200 }, () => outcomeOf(id)));

    expect(new Set(outcomes)).toEqual(new Set(['broken']));
    await until(() => rig.plane.live.size === 0, 'no open calls');
    await upstream.close();
  }, 30_000);

  it('inside a body resets the connection of an HTTP/1.0 caller, to whom closing would be the end', async () => {
    const upstream = await new RawUpstream(after(CHUNKED, reset)).open();
    const head = rig
      .head('GET', rig.register({ base_url: upstream.url }), '/x')
      .replace('HTTP/1.1', 'HTTP/1.0');

    await expect(rig.raw(head)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await upstream.close();
  });

  it('is sent no request a second time, not even a safe one', async () => {
    const upstream = await new RawUpstream(end).open();
    const id = rig.register({ base_url: upstream.url });

    await outcomeOf(id);
    await outcomeOf(id, { method: 'POST', body: 'x' });

    expect(upstream.connections).toBe(2);
    await upstream.close();
  });
});

describe('an upstream that cannot be reached', () => {
  const freePort = async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  it('answers 502 connect_failed', async () => {
    const id = rig.register({ base_url: `http://127.0.0.1:${await freePort()}` });

    expect(await outcomeOf(id)).toBe('502 connect_failed');
  });

  it('at its first address is called at the next one, body and all', async () => {
    const upstream = await new Upstream().open();
    rig.dns.always({ addresses: ['127.0.0.1', '::1'] });
    const six = createServer((req, res) => req.pipe(res));
    const port = await freePort();
    await new Promise<void>((resolve) => six.listen(port, '::1', resolve));
    const id = rig.register({ base_url: `http://two.example.net:${port}` });

    const outcome = await outcomeOf(id, { method: 'POST', body: 'x'.repeat(200_000) });

    expect(outcome).toBe(`200 ${'x'.repeat(200_000)}`);
    six.close();
    await upstream.close();
  });
});

describe('a slow upstream', () => {
  it('answers 504 when its first byte does not come in time', async () => {
    const upstream = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: upstream.url, policy: { first_byte_timeout_ms: 300 } });
    const start = performance.now();

    expect(await outcomeOf(id)).toBe('504 upstream_timeout');
    expect(performance.now() - start).toBeGreaterThan(290);
    await until(() => upstream.sockets.size === 0, 'a closed connection');
    await upstream.close();
  });

  it.each([
    ['without a body', {}],
    ['with a body', { method: 'POST', body: 'x'.repeat(1_000) }],
  ])('answers 504 at the stated time also while this process is busy: a call %s', async (_what, init) => {
    const upstream = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: upstream.url, policy: { first_byte_timeout_ms: 2_500 } });
    const busy = setInterval(() => spin(120), 130);
    const [early, late] = [timer(2_400), timer(3_100)]; // in this process, as late as its own

    expect(await outcomeOf(id, init)).toBe('504 upstream_timeout');
    clearInterval(busy);

    expect([early.isOver(), late.isOver()]).toEqual([true, false]);
    await upstream.close();
  });

  it('that falls silent behind its head hands that on at once, and breaks off what it announced', async () => {
    const upstream = await new RawUpstream(
      after('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', () => undefined),
    ).open();
    const id = rig.register({ base_url: upstream.url, policy: { idle_timeout_ms: 300 } });

    const res = await rig.fetch(id, '/x');

    expect(res.status).toBe(200);
    await expect(res.text()).rejects.toThrow();
    await upstream.close();
  });

  it('that falls silent inside a body breaks it off at the stated time also while this process is busy', async () => {
    const upstream = await new RawUpstream(after(CHUNKED, () => undefined)).open();
    const id = rig.register({ base_url: upstream.url, policy: { idle_timeout_ms: 2_500 } });
    const busy = setInterval(() => spin(120), 130);
    const [early, late] = [timer(2_400), timer(3_100)];

    expect(await outcomeOf(id)).toBe('broken');
    clearInterval(busy);

    expect([early.isOver(), late.isOver()]).toEqual([true, false]);
    await upstream.close();
  });

  it('is not one whose caller does not read for a while', async () => {
    const length = 32 * 2 ** 20;
    const upstream = await new RawUpstream(
      after(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`, (socket) =>
        socket.write(Buffer.alloc(length, 'x')),
      ),
    ).open();
    const id = rig.register({ base_url: upstream.url, policy: { idle_timeout_ms: 200 } });

    const reader = (await rig.fetch(id, '/x')).body!.getReader();
    await sleep(1_500);
    let read = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.length;

    expect(read).toBe(length);
    await upstream.close();
  });

  it('that falls silent inside a body breaks the answer off', async () => {
    const upstream = await new RawUpstream(after(CHUNKED, () => undefined)).open();
    const id = rig.register({ base_url: upstream.url, policy: { idle_timeout_ms: 300 } });

    expect(await outcomeOf(id)).toBe('broken');
    await upstream.close();
  });
});

describe('a body that is too large', () => {
  it.each([
    ['by its stated length', 'x'.repeat(2_000), undefined],
    ['as it comes', undefined, 200_000],
  ])('answers 413, %s', async (_how, body, streamed) => {
    const upstream = await new Upstream().open();
    const id = rig.register({ base_url: upstream.url, policy: { max_body_bytes: 1_000 } });

    const stream = streamed === undefined ? body : new Blob(['x'.repeat(streamed)]).stream();
    const outcome = await outcomeOf(id, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);

    expect(outcome).toBe('413 payload_too_large');
    await until(() => rig.plane.live.size === 0, 'no open calls');
    await upstream.close();
  });
});

describe('a caller that stalls inside its body', () => {
  it.each([
    ['a small one', 100],
    ['a large one', 500_000],
  ])('answers 408, for %s', async (_what, length) => {
    const upstream = await new Upstream().open();
    const id = rig.register({ base_url: upstream.url, policy: { idle_timeout_ms: 500 } });

    const answer = await rig.raw(`${rig.head('POST', id, '/x', [`Content-Length: ${length}`])}abc`, (text) =>
      text.includes('}'),
    );

    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    await upstream.close();
  });
});

describe('names that do not resolve', () => {
  it.each([
    ['NXDOMAIN', undefined, '502 dns_failed'],
    ['SERVFAIL', { rcode: 2 }, '502 dns_failed'],
    ['an empty answer', { addresses: [] }, '502 dns_failed'],
    ['an alias to itself', { cname: ['gone.example.net'] }, '502 dns_failed'],
    ['silence', { silent: true }, '504 dns_timeout'],
    [
      'a thousand addresses',
      { addresses: Array.from({ length: 80 }, (_, i) => `93.184.${i}.1`) },
      '502 dns_failed',
    ],
  ])('%s answers %j as %s, with two queries', async (_what, zone, outcome) => {
    const own = await Rig.start({ dnsBudgetMs: 300 });
    own.dns.answer = () => zone;
    const id = own.register({ base_url: 'https://gone.example.net' });

    const res = await own.fetch(id, '/x');

    expect(`${res.status} ${res.headers.get('x-zeq-error')}`).toBe(outcome);
    expect(own.dns.queries).toHaveLength(2);
    await own.stop();
  });

  it('are asked once for many calls at the same time', async () => {
    const own = await Rig.start({ dnsBudgetMs: 2_000 });
    own.dns.always({ silent: true });
    const id = own.register({ base_url: 'https://gone.example.net' });

    await Promise.all(Array.from({ length: 50 }, () => own.fetch(id, '/x')));

    expect(own.dns.queries).toHaveLength(2);
    await own.stop();
  });

  it('are kept for their TTL, and localhost is asked of nobody', async () => {
    const own = await Rig.start({ allow: 'kept.example.net, localhost' });
    const upstream = await new Upstream().open();
    own.dns.always({ addresses: ['127.0.0.1'], ttl: 60 });
    const kept = own.register({ base_url: `http://kept.example.net:${upstream.port}` });
    const local = own.register({ base_url: `http://localhost:${upstream.port}` });

    for (const id of [kept, kept, kept, local]) expect((await own.fetch(id, '/x')).status).toBe(200);

    expect(own.dns.queries).toHaveLength(2);
    await Promise.all([own.stop(), upstream.close()]);
  });
});

/** Timers of one process are late together: which of two is over does not depend on what else the machine does. */
function timer(ms: number): { isOver: () => boolean } {
  let over = false;
  setTimeout(() => {
    over = true;
  }, ms).unref();
  return { isOver: () => over };
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
