import type { Policy } from '@zeq/contracts';
import { type HostileCase, type Pace, play, upstreamCases } from './hostile-upstream.ts';
import { Rig, until } from './rig.ts';
import { RawUpstream } from './upstream.ts';

/** The list's own times, all divided by this: ten minutes of events are twelve seconds. */
const SCALE = 50;
/** The header timeout that the list speaks of, and the silence that ends a body, at the same scale (ms). */
const policy: Partial<Policy> = { first_byte_timeout_ms: 30_000 / SCALE, idle_timeout_ms: 300_000 / SCALE };
const PACE: Pace = {
  pauseMs: (asked) => asked / SCALE,
  drip: ({ every_ms, times }) => ({ everyMs: every_ms / SCALE, times }),
};

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(() => rig.stop());

const caseOf = (id: string): HostileCase => upstreamCases().find((row) => row.id === `upstream/${id}`)!;

async function start(id: string) {
  const { respond } = caseOf(id);
  const upstream = await new RawUpstream((socket) => void play(socket, respond.parts!, PACE)).open();
  const begun = performance.now();
  const res = await rig.fetch(rig.register({ base_url: upstream.url, policy }), '/x');
  return { upstream, res, waitedMs: performance.now() - begun };
}

describe('an upstream that takes its time, played to the end', () => {
  it.each(['slow-first-byte', 'accept-then-silence'])(
    '%s is 504 after the header timeout, and not before',
    async (id) => {
      const { upstream, res, waitedMs } = await start(id);

      expect([res.status, res.headers.get('x-zeq-error')]).toEqual([504, 'upstream_timeout']);
      expect(waitedMs).toBeGreaterThanOrEqual(policy.first_byte_timeout_ms! - 5); // timers are allowed to round
      await until(() => upstream.sockets.size === 0, 'a closed connection');
      await upstream.close();
    },
  );

  it('slow-drip arrives whole: each byte shows that the upstream is alive', async () => {
    const { upstream, res } = await start('slow-drip');

    expect(await res.text()).toBe('a'.repeat(1_000));
    await upstream.close();
  }, 120_000);

  it('sse-long lives to its end, and no event waits for the next', async () => {
    const { upstream, res } = await start('sse-long');
    let [text, pieces] = ['', 0];

    for await (const chunk of res.body!) {
      text += Buffer.from(chunk).toString('latin1');
      pieces += 1;
    }

    expect(text).toBe('data: tick\n\n'.repeat(1_200));
    expect(pieces).toBeGreaterThan(100); // it came as it was sent, not at the end
    await upstream.close();
  }, 120_000);
});
