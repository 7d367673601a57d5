import '../src/patience.ts';
import type { UsageSummary } from '@zeq/contracts';
import { differences, openUsageWorld, type UsageWorld } from '../src/usage-experiment.ts';

/** The whole form is ten thousand calls: `node bench/usage-equality.ts`. */
const CALLS = 300;
const AT_ONCE = 12;

let world: UsageWorld;
beforeAll(async () => {
  world = await openUsageWorld();
});
afterAll(() => world.stop());

describe('usage', () => {
  it('equals what the upstream saw, over a restart of the forwarder amid the calls', async () => {
    const running = world.calls.run(CALLS, AT_ONCE);
    await world.calls.reached(CALLS / 3);
    await world.restart('forwarder', 'SIGTERM');
    await running;
    await world.settled();

    expect(await differences(world)).toEqual([]);
  });

  it('equals it as well when the vault is killed amid the calls', async () => {
    const running = world.calls.run(CALLS, AT_ONCE);
    await world.calls.reached(CALLS + CALLS / 3);
    await world.restart('byok-vault', 'SIGKILL');
    await running;
    await world.settled();

    expect(await differences(world)).toEqual([]);
  });

  it('is shown call by call, newest first, each with who made it', async () => {
    const { entries } = await world.activity('whole');
    const { requests } = await world.usage('whole');

    expect(entries).toHaveLength(requests);
    expect(entries.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: requests }, (_, i) => requests - i),
    );
    expect(new Set(entries.map(({ caller }) => caller.prefix?.slice(0, 4)))).toEqual(
      new Set(['zsm_', 'zat_']),
    );
  });

  it('is handed out as CSV by the gateway, too, and as a summary of all APIs', async () => {
    const { mesh, usage } = world;
    const { slug, api_key: token } = mesh.owner;
    const file = await mesh.call('GET', `/api/zeq/apis/${slug}/whole/usage`, {
      token,
      headers: { accept: 'text/csv' },
    });
    const summary = await mesh.call('GET', `/api/zeq/usage/${slug}`, { token });

    const rows = (await file.text()).trim().split('\r\n').slice(1);
    const { requests } = await usage('whole');
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="whole-usage.csv"');
    expect(rows.reduce((sum, row) => sum + Number(row.split(',')[1]), 0)).toBe(requests);
    const { apis } = (await summary.json()) as UsageSummary;
    expect(apis.map((api) => api.requests.reduce((sum, n) => sum + n, 0))).toContain(requests);
  });

  it('loses at most what a killed forwarder had not yet reported', async () => {
    const { calls, upstream, usage, restart, settled } = world;
    const reported = (await usage('whole')).sent;
    const arrivedBefore = upstream.whole.requests;

    const running = calls.run(CALLS / 3, AT_ONCE);
    await restart('forwarder', 'SIGKILL');
    const arrivedAtReturn = upstream.whole.requests;
    await running;
    await settled();

    const { sent } = await usage('whole');
    expect(reported).toBe(arrivedBefore); // everything before the burst
    expect(sent).toBeLessThanOrEqual(upstream.whole.requests);
    expect(sent - reported).toBeGreaterThanOrEqual(upstream.whole.requests - arrivedAtReturn);
  });
});
