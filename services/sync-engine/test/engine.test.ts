import { type AttestedTick, type Tick, TickVerifier, ZEQOND_MS, zeqondOf } from '@zeq/crypto';
import { BorderTimer, buildLogger } from '@zeq/service-kit';

import { type HoldNotice, TickEngine } from '../src/engine.ts';
import { SharedChain, testSigner } from './memory-chain.ts';
import { SimulatedTime } from './simulated-time.ts';

type Shown = Tick | HoldNotice;
const HOUR = 3_600_000;
const log = buildLogger('test', 'silent');

async function startEngine(time: SimulatedTime, chain: SharedChain | undefined, holder = 'one') {
  const shown: Shown[] = [];
  const lateness: number[] = [];
  const engine = new TickEngine({
    time,
    log,
    ...(chain && { attesting: { signer: testSigner(), store: chain.open() } }),
    holder,
    connections: () => 3,
    send: (message) => void shown.push(message),
    onTick: (_tick, lateMs) => void lateness.push(lateMs),
  });
  const timer = new BorderTimer(time, ZEQOND_MS, () => engine.border());
  await engine.start();
  timer.start();
  const kill = () => timer.stop(); // no goodbye: the lease has to run out
  return { engine, shown, lateness, kill, ticks: () => shown.filter((one) => one.type === 'tick') };
}

async function setup(startMs?: number) {
  const time = new SimulatedTime(startMs);
  const chain = new SharedChain(time.monotonicMs);
  return { time, chain, ...(await startEngine(time, chain)) };
}

/** Every tick verifies after the one before, and Zeqonds only grow. */
function expectWholeChain(ticks: readonly Tick[]): void {
  const verifier = new TickVerifier({ platKey: testSigner().platKey });
  expect(ticks.map((tick) => verifier.accept(tick)).filter((fault) => fault !== undefined)).toEqual([]);
}

describe('the engine', () => {
  it('makes one attested tick per border, on the border, that follows from the last', async () => {
    const { time, chain, ticks, lateness } = await setup();

    await time.pass(100 * ZEQOND_MS);

    expect(ticks()).toHaveLength(100);
    expect(ticks().map(({ zeqond }) => zeqond)).toEqual(
      Array.from({ length: 100 }, (_, i) => ticks()[0]!.zeqond + i),
    );
    expect(Math.max(...lateness)).toBeLessThanOrEqual(1);
    expect(chain.ticks).toEqual(ticks());
    expect(ticks()[0]).toEqual({
      type: 'tick',
      zeqond: expect.any(Number),
      phase: expect.any(Number),
      phaseRadians: expect.any(Number),
      timestamp: expect.any(Number),
      ko42: expect.any(Number),
      frequency: 1.287,
      connections: 3,
      tesc: {
        uid: 'genesis-node',
        plat: expect.stringMatching(/^[0-9a-f]{64}$/),
        prev: '0'.repeat(64),
        chain: expect.stringMatching(/^[0-9a-f]{64}$/),
        depth: 1,
        sig: expect.stringMatching(/^[0-9a-f]{128}$/),
        public_key: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expectWholeChain(ticks());
  });

  it('ticks without attestation and stores nothing when there is no secret', async () => {
    const time = new SimulatedTime();
    const { engine, shown } = await startEngine(time, undefined);

    await time.pass(5 * ZEQOND_MS);

    expect(shown).toHaveLength(5);
    expect(shown.every((one) => !('tesc' in one))).toBe(true);
    expect([engine.role, engine.storeState]).toEqual(['plain', 'none']);
  });

  it('goes on after a restart where the chain stands, and states what is missing', async () => {
    const { time, chain, kill } = await setup();
    await time.pass(5 * ZEQOND_MS);
    kill();
    await time.pass(4 * ZEQOND_MS);

    await startEngine(time, chain, 'two');
    await time.pass(5 * ZEQOND_MS);

    expect(chain.ticks[5]!.gap).toEqual({ after: chain.ticks[4]!.zeqond, missed: 4, reason: 'restart' });
    expectWholeChain(chain.ticks);
  });
});

describe('the engine, when the clock is set', () => {
  it.each([1_000, 60_000, HOUR, 24 * HOUR])(
    'states a gap of the right size after %i ms forward',
    async (ms) => {
      const { time, chain, ticks } = await setup();
      await time.pass(10 * ZEQOND_MS);
      const before = chain.head.zeqond;

      time.jump(ms);
      await time.pass(3 * ZEQOND_MS);

      const after = ticks().find(({ zeqond }) => zeqond > before)!;
      expect(after.gap).toEqual({
        after: before,
        missed: after.zeqond - before - 1,
        reason: 'clock_forward',
      });
      expectWholeChain(ticks());
    },
  );

  it.each([1_000, 60_000, HOUR])('holds after %i ms back, says so, and never goes back', async (ms) => {
    const { time, chain, engine, shown, ticks } = await setup();
    await time.pass(10 * ZEQOND_MS);
    const before = chain.head.zeqond;

    time.jump(-ms);
    await time.pass(ZEQOND_MS);
    const holding = engine.hold;
    await time.pass(ms + 2 * ZEQOND_MS);

    expect(holding?.behindMs).toBeGreaterThan(0);
    const notices = shown.filter((one) => one.type === 'hold');
    expect(notices[0]).toEqual({
      type: 'hold',
      reason: 'clock_back',
      zeqond: before,
      behind_ms: expect.any(Number),
      timestamp: expect.any(Number),
    });
    expect(notices.length).toBeGreaterThanOrEqual(Math.floor(ms / ZEQOND_MS) - 1);
    const next = ticks().find(({ zeqond }) => zeqond > before)!;
    expect(next.gap).toEqual({ after: before, missed: 0, reason: 'clock_back' });
    expect(engine.hold).toBeNull();
    expectWholeChain(ticks());
  });

  it('keeps its order through a second back again and again', async () => {
    const { time, ticks } = await setup();
    for (let i = 0; i < 50; i += 1) {
      await time.pass(1_900);
      time.jump(-1_000);
    }

    expect(ticks().length).toBeGreaterThan(30);
    expectWholeChain(ticks());
  });

  it('keeps its order through any jumps at all', async () => {
    const { time, ticks } = await setup();
    let seed = 42;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let i = 0; i < 300; i += 1) {
      await time.pass(random() * 2_000);
      if (random() < 0.3) time.jump((random() - 0.4) * 10_000);
      if (random() < 0.1) time.stall(random() * 5_000);
    }

    expect(ticks().length).toBeGreaterThan(100);
    expectWholeChain(ticks());
  });

  it('states a stall of 10 s as one', async () => {
    const { time, chain, ticks } = await setup();
    await time.pass(10 * ZEQOND_MS);
    const before = chain.head.zeqond;

    time.stall(10_000);
    await time.pass(2 * ZEQOND_MS);

    const next = ticks().find(({ zeqond }) => zeqond > before)!;
    expect(next.gap?.reason).toBe('stall');
    expect(next.gap?.missed).toBeGreaterThanOrEqual(11);
    expectWholeChain(ticks());
  });

  it('stays on the borders of a clock that runs 200 ppm fast for an hour, and reports the drift', async () => {
    const { time, engine, ticks, lateness } = await setup();

    time.drift(200);
    await time.pass(HOUR);

    expect(ticks().length).toBeGreaterThanOrEqual(Math.floor((HOUR * 1.0002) / ZEQOND_MS) - 1);
    expect(ticks().some(({ gap }) => gap)).toBe(false);
    expect(Math.max(...lateness)).toBeLessThan(20);
    expect(engine.ppm).toBeGreaterThanOrEqual(195);
    expect(engine.ppm).toBeLessThanOrEqual(205);
  });
});

describe('several engines', () => {
  async function pair() {
    const time = new SimulatedTime();
    const chain = new SharedChain(time.monotonicMs);
    const leader = await startEngine(time, chain, 'one');
    const follower = await startEngine(time, chain, 'two');
    await time.pass(5 * ZEQOND_MS);
    return { time, chain, leader, follower };
  }

  it('have one leader, and all show the same ticks', async () => {
    const { chain, leader, follower } = await pair();

    expect([leader.engine.role, follower.engine.role]).toEqual(['leader', 'follower']);
    expect(follower.shown).toEqual(leader.shown);
    expect(chain.ticks).toEqual(leader.shown);
  });

  it.each([0, 10, 200, 400, 600, 770])(
    'go on within two ticks when the leader dies %i ms after a border',
    async (ms) => {
      const { time, chain, leader, follower } = await pair();
      await time.pass(ZEQOND_MS - (time.wallMs() % ZEQOND_MS) + ms);
      const last = chain.head.zeqond;

      leader.kill();
      await time.pass(2 * ZEQOND_MS - ms);

      expect(follower.engine.role).toBe('leader');
      expect(chain.ticks.find(({ zeqond }) => zeqond > last)!.gap).toMatchObject({
        after: last,
        reason: 'takeover',
      });
      expect(chain.head.zeqond).toBeGreaterThan(last);
      await time.pass(3 * ZEQOND_MS);
      expectWholeChain(chain.ticks);
      expect(follower.shown).toEqual(chain.ticks);
    },
  );

  it('let nobody write who lost the lease while standing still', async () => {
    const { time, chain, leader, follower } = await pair();
    const frozen = leader.shown.length;
    leader.kill();
    await time.pass(10_000);

    leader.engine.border(); // the old leader wakes up
    await time.pass(5 * ZEQOND_MS);

    expect(leader.engine.role).toBe('follower');
    expect(follower.engine.role).toBe('leader');
    expectWholeChain(chain.ticks);
    expect(leader.shown.length).toBeGreaterThan(frozen);
    expectWholeChain(leader.ticks() as AttestedTick[]);
  });

  it('hand over at once when the leader stops in order', async () => {
    const { time, chain, leader, follower } = await pair();
    leader.kill();
    await leader.engine.stop();

    await time.pass(2 * ZEQOND_MS);

    expect(follower.engine.role).toBe('leader');
    expect(chain.ticks.every(({ gap }) => (gap?.missed ?? 0) === 0)).toBe(true);
  });
});

describe('the engine, when the store is away', () => {
  it('ticks on without attestation, and states the gap afterwards', async () => {
    const { time, chain, engine, shown } = await setup();
    await time.pass(3 * ZEQOND_MS);
    const before = chain.head.zeqond;

    chain.fail = true;
    await time.pass(5 * ZEQOND_MS);
    const during = shown.slice(3);
    expect(engine.storeState).toBe('unavailable');
    chain.fail = false;
    await time.pass(5 * ZEQOND_MS);

    expect(during.length).toBeGreaterThanOrEqual(4);
    expect(during.every((one) => !('tesc' in one))).toBe(true);
    const zeqonds = shown.map((one) => one.zeqond);
    expect(new Set(zeqonds).size).toBe(zeqonds.length);
    const next = chain.ticks.find(({ zeqond }) => zeqond > before)!;
    expect(next.gap).toMatchObject({ after: before, reason: 'store_unavailable' });
    expect(engine.storeState).toBe('ok');
    expectWholeChain(chain.ticks);
  });

  it('shows a tick that was stored although the answer was lost, and does not fork', async () => {
    const { time, chain, shown, ticks } = await setup();
    await time.pass(3 * ZEQOND_MS);

    chain.loseAnswer = true;
    await time.pass(6 * ZEQOND_MS);

    expect(ticks().filter((tick) => tick.tesc)).toEqual(chain.ticks);
    expect(shown.length).toBeGreaterThanOrEqual(8);
    expectWholeChain(chain.ticks);
  });
});

describe('BorderTimer', () => {
  it('calls each border once, though timers run a millisecond early', async () => {
    const time = new SimulatedTime();
    const early = {
      ...time,
      wallMs: time.wallMs,
      monotonicMs: time.monotonicMs,
      schedule: (callback: () => void, ms: number) => time.schedule(callback, Math.max(0.2, ms - 1)),
    };
    const called: number[] = [];
    new BorderTimer(early, ZEQOND_MS, (zeqond) => void called.push(zeqond)).start();

    await time.pass(20 * ZEQOND_MS);

    expect(called).toEqual(Array.from({ length: 20 }, (_, i) => zeqondOf(time.wallMs()) - 19 + i));
  });
});
