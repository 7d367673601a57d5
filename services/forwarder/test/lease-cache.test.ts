import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { LeaseCache } from '../src/leases/lease-cache.ts';
import type { LeasedApi } from '../src/leases/leased-api.ts';

/** A cache whose feed is lost, and a vault that is there or not. */
class Rig {
  away = false;
  asked = 0;
  readonly feed = { isFresh: () => false, lastHeardAt: Number.NEGATIVE_INFINITY, generation: 0 };
  readonly cache = new LeaseCache(
    {
      lease: async () => {
        this.asked += 1;
        if (this.away) throw new ProblemError('vault_unavailable', 'away');
        return {} as Lease;
      },
      draft: () => Promise.resolve(undefined),
    },
    this.feed,
    (lease) => ({ lease }) as LeasedApi,
  );

  held(now: number): boolean {
    return this.cache.held('machine', 'api', now) !== undefined;
  }
}

describe('a lease without the change feed', () => {
  it('is renewed beside the calls, so that a vault that is up now and then suffices', async () => {
    const rig = new Rig();
    await rig.cache.fetch('machine', 'api', 0);
    const held: boolean[] = [];
    for (const [now, away] of [
      [2_000, true],
      [4_000, false],
      [6_000, true],
      [9_000, true],
    ] as const) {
      rig.away = away;
      held.push(rig.held(now));
      await sleep(0); // the answer comes meanwhile
    }

    expect(held).toEqual([true, true, true, true]); // nine seconds, and two answers: at 0 and at 4
    expect(rig.held(9_001)).toBe(false);
  });

  it('asks five times a second at most, and not in its first second', async () => {
    const rig = new Rig();
    await rig.cache.fetch('machine', 'api', 0);
    rig.away = true;

    for (let now = 0; now < 2_000; now += 10) {
      rig.held(now);
      await sleep(0);
    }

    expect(rig.asked).toBe(1 + 5);
  });
});

describe('leases that are asked for all at once', () => {
  it('are at most a thousand questions; one more is refused at once, and the same one twice is one', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Lease>();
    const source = { lease: () => answer, draft: () => Promise.resolve(undefined) };
    const feed = { isFresh: () => true, lastHeardAt: 0, generation: 0 };
    const cache = new LeaseCache(source, feed, (lease) => ({ lease }) as LeasedApi);
    const asked = Array.from({ length: 1_000 }, (_, n) => cache.fetch('machine', `api-${n}`, 0));

    await expect(cache.fetch('machine', 'one more', 0)).rejects.toMatchObject({ code: 'overloaded' });
    asked.push(cache.fetch('machine', 'api-0', 0));
    resolve({} as Lease);

    expect(await Promise.all(asked)).toHaveLength(1_001);
    await expect(cache.fetch('machine', 'one more', 0)).resolves.toBeDefined();
  });
});
