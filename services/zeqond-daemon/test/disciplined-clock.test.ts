import { ZEQOND_MS } from '@zeq/crypto';
import { DisciplinedClock } from '../src/disciplined-clock.ts';
import { estimate, referenceAt } from '../src/estimate.ts';

const HOUR = 3_600_000;
const START = 1_740_499_200_000;

/** A machine whose own clock is off, and a reference it hears once a Zeqond, late by some jitter. */
function setup({ offBy = 0, ppm = 0 }: { offBy?: number; ppm?: number } = {}) {
  let monotonic = 0;
  let reference = START;
  const time = {
    wallMs: () => START + offBy + monotonic,
    monotonicMs: () => monotonic,
    schedule: () => () => undefined,
  };
  const clock = new DisciplinedClock(time);
  const shown: number[] = [clock.now()];
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const run = (ticks: number, { hears = true, jitterMs = 4 } = {}) => {
    for (let i = 0; i < ticks; i += 1) {
      for (let part = 0; part < 7; part += 1) {
        monotonic += ZEQOND_MS / 7;
        reference += (ZEQOND_MS / 7) * (1 + ppm / 1e6);
        shown.push(clock.now());
      }
      if (hears) clock.hear(reference - random() * jitterMs);
    }
  };
  return { clock, shown, run, set: (ms: number) => (reference += ms), error: () => clock.now() - reference };
}

const expectNeverBack = (shown: readonly number[]) =>
  expect(shown.every((ms, index) => index === 0 || ms >= shown[index - 1]!)).toBe(true);

describe('DisciplinedClock', () => {
  it.each([-400, -50, 50, 400])(
    'is moved to the reference from %i ms away, slowly and never back',
    (offBy) => {
      const { shown, run, error } = setup({ offBy });
      run(300);

      expect(Math.abs(error())).toBeLessThan(6);
      expectNeverBack(shown);
      const steps = shown.slice(1).map((ms, index) => ms - shown[index]!);
      expect(Math.max(...steps)).toBeLessThan((ZEQOND_MS / 7) * 1.02);
      expect(Math.min(...steps)).toBeGreaterThan((ZEQOND_MS / 7) * 0.98);
    },
  );

  it.each([-100, 40, 200])(
    'learns a drift of %i ppm, reports it, and keeps it when the reference is away',
    (ppm) => {
      const { clock, run, error } = setup({ ppm });
      run(400, { jitterMs: 1 });
      expect(Math.abs(clock.figures.drift_ppm! - ppm)).toBeLessThan(25);

      run(1000, { hears: false });

      expect(Math.abs(error())).toBeLessThan(25);
    },
  );

  it('is not moved by single samples that are far off', () => {
    const { clock, run, error } = setup();
    run(100);
    clock.hear(START + HOUR);
    clock.hear(START - HOUR);
    run(10);

    expect(Math.abs(error())).toBeLessThan(6);
  });

  it('steps forward when the reference was set forward, after it has said so three times', () => {
    const { clock, shown, run, set, error } = setup();
    run(100);
    set(HOUR);
    run(2);
    expect(error()).toBeLessThan(-HOUR / 2);
    run(3);

    expect(Math.abs(error())).toBeLessThan(10);
    expect(clock.figures.steps_forward).toBe(1);
    expectNeverBack(shown);
  });

  it('stands still when the reference was set back, until it has caught up', () => {
    const { clock, shown, run, set, error } = setup();
    run(100);
    set(-60_000);
    run(20);
    expect(clock.figures.standing).toBe(true);
    expect(error()).toBeGreaterThan(40_000);

    run(80);

    expect(Math.abs(error())).toBeLessThan(10);
    expect(clock.figures.standing).toBe(false);
    expectNeverBack(shown);
  });

  it('starts an hour fast without ever going back, and arrives', () => {
    const { shown, run, error } = setup({ offBy: HOUR });
    run(Math.ceil(HOUR / ZEQOND_MS) + 20);

    expect(Math.abs(error())).toBeLessThan(10);
    expectNeverBack(shown);
  });
});

describe('estimate', () => {
  const line = (count: number, slope: number, offset: number) =>
    Array.from({ length: count }, (_, i) => ({
      monotonic: i * 777,
      reference: i * 777 * (1 + slope) + offset,
    }));

  it('finds offset and slope of a clean line', () => {
    const found = estimate(line(64, 0.0001, 5_000));

    expect(found.slope).toBeCloseTo(0.0001, 9);
    expect(referenceAt(found, 100_000)).toBeCloseTo(100_010 + 5_000, 3);
    expect(found.jitter).toBeLessThan(1e-6);
  });

  it('leaves out samples that came late', () => {
    const samples = line(64, 0, 5_000).map((sample, i) =>
      i % 9 === 4 ? { ...sample, reference: sample.reference - 300 } : sample,
    );

    expect(referenceAt(estimate(samples), 64 * 777)).toBeCloseTo(64 * 777 + 5_000, 3);
  });

  it('claims no drift from a few samples', () => {
    expect(estimate(line(5, 0.0005, 0)).slope).toBe(0);
  });
});
