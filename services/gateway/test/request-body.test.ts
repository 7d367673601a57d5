import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { BodyCollector } from '../src/request/request-body.ts';

/** A body that a test writes piece by piece. */
const body = () => new PassThrough() as PassThrough & IncomingMessage;

describe('BodyCollector', () => {
  let now: number;
  let collector: BodyCollector;
  const events: string[] = [];
  beforeEach(() => {
    now = 1_000;
    events.length = 0;
    collector = new BodyCollector(() => now);
  });
  afterEach(() => collector.close());

  function collect(): PassThrough {
    const req = body();
    collector.collect({
      req,
      whole: (bytes) => events.push(`whole ${bytes}`),
      late: () => events.push('late'),
    });
    return req;
  }

  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it.each([[[]], [['all of it']], [['a', 'b', 'c']]])('hands over %o as one', async (pieces) => {
    const req = collect();
    for (const piece of pieces) req.write(piece);
    req.end();
    await settle();

    expect(events).toEqual([`whole ${pieces.join('')}`]);
  });

  it('hands over nothing when the client leaves', async () => {
    const req = collect();
    req.write('half');
    req.destroy();
    await settle();
    now += 60_000;
    collector.look();

    expect(events).toEqual([]);
  });

  it('tells a body that is late after 30 s, once, and does not hand it over afterwards', async () => {
    const req = collect();
    now += 29_999;
    collector.look();
    const other = collect();
    now += 1;
    collector.look();
    collector.look();
    req.end();
    other.end('in time');
    await settle();

    expect(events).toEqual(['late', 'whole in time']);
  });
});
