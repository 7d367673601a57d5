import '../src/patience.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { openUsageWorld, type UsageWorld } from '../src/usage-experiment.ts';

const AT_ONCE = 12;
const MAX_PAUSE_MS = 60;

let world: UsageWorld;
beforeAll(async () => {
  world = await openUsageWorld();
});
afterAll(() => world.stop());

describe('a forwarder that is told to stop while calls come', () => {
  it('answers every call that reaches the upstream, forwarded or tested, and refuses the rest', async () => {
    const { gateway } = world.mesh.mesh;
    const { slug, api_key: owner } = world.mesh.owner;
    const api = `${gateway}/api/zeq/apis/${slug}/whole`;
    const headers = { authorization: `Bearer ${owner}`, 'content-type': 'application/json' };
    const asks = [
      () => fetch(`${api}/test`, { method: 'POST', headers, body: '{"path":"/chat","method":"GET"}' }),
      () => fetch(`${api}/forward/chat`, { method: 'POST', headers, body: '{"model":"m"}' }),
    ];
    const answers = new Map<string, number>();
    let goesOn = true;
    const work = async (_: unknown, lane: number) => {
      while (goesOn) {
        const res = await asks[lane % asks.length]!();
        await res.arrayBuffer();
        const what = `${res.status} ${res.headers.get('x-zeq-error') ?? ''}`.trim();
        answers.set(what, (answers.get(what) ?? 0) + 1);
        await sleep(Math.random() * MAX_PAUSE_MS); // now and then no call is open: that is when a stop may believe that it has ended
      }
    };

    const calls = Promise.all(Array.from({ length: AT_ONCE }, work));
    await sleep(500);
    await world.restart('forwarder', 'SIGTERM');
    goesOn = false;
    await calls;

    expect(answers.get('200')).toBe(world.upstream.whole.requests);
    expect([...answers.keys()].sort()).toEqual(['200', '503 service_unavailable']);
  });
});
