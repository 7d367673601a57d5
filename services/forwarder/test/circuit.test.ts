import {
  Circuit,
  type CircuitState,
  FIRST_HOLD_MS,
  LONGEST_HOLD_MS,
  PROBE_MS,
} from '../src/limits/circuit.ts';

const MOST = 3;

/** A circuit whose time the test moves. */
function setup() {
  const changes: CircuitState[] = [];
  const clock = { now: 1_000_000 };
  const circuit = new Circuit({ now: () => clock.now, changed: (to) => changes.push(to) });
  const fail = (times = 1) => {
    for (let i = 0; i < times; i += 1) circuit.failed(circuit.enter(), MOST);
  };
  return { circuit, changes, clock, fail };
}

describe('a closed circuit', () => {
  it('opens at the stated number of failures in a row, not one earlier', () => {
    const { circuit, fail } = setup();

    fail(MOST - 1);
    const before = circuit.waitMs();
    fail();

    expect([before, circuit.waitMs(), circuit.state]).toEqual([0, FIRST_HOLD_MS, 'open']);
  });

  it('counts from the beginning after any answer', () => {
    const { circuit, fail } = setup();

    fail(MOST - 1);
    circuit.succeeded(circuit.enter());
    fail(MOST - 1);

    expect(circuit.state).toBe('closed');
  });

  it('stays closed whatever happens where the policy says 0', () => {
    const { circuit } = setup();

    for (let i = 0; i < 1_000; i += 1) circuit.failed(circuit.enter(), 0);

    expect([circuit.state, circuit.waitMs()]).toEqual(['closed', 0]);
  });
});

describe('an open circuit', () => {
  it('holds calls back to the millisecond, then lets exactly one through', () => {
    const { circuit, clock, fail } = setup();
    fail(MOST);

    clock.now += FIRST_HOLD_MS - 1;
    const early = circuit.waitMs();
    clock.now += 1;
    const due = circuit.waitMs();
    const isProbe = circuit.enter();

    expect([early, due, isProbe, circuit.state]).toEqual([1, 0, true, 'half_open']);
    expect(circuit.waitMs()).toBeGreaterThan(0);
  });

  it('closes when the probe is answered', () => {
    const { circuit, changes, clock, fail } = setup();
    fail(MOST);
    clock.now += FIRST_HOLD_MS;

    circuit.succeeded(circuit.enter());

    expect([circuit.waitMs(), circuit.enter()]).toEqual([0, false]);
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('holds back twice as long after each probe that fails, at most half a minute, and begins anew once closed', () => {
    const { circuit, clock, fail } = setup();
    fail(MOST);
    const holds: number[] = [];

    for (let probe = 0; probe < 7; probe += 1) {
      holds.push(circuit.waitMs());
      clock.now += circuit.waitMs();
      fail();
    }
    clock.now += circuit.waitMs();
    circuit.succeeded(circuit.enter());
    fail(MOST);

    expect(holds).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, LONGEST_HOLD_MS, LONGEST_HOLD_MS]);
    expect(circuit.waitMs()).toBe(FIRST_HOLD_MS);
  });

  it('hears nothing in what comes of calls that began before', () => {
    const { circuit, fail } = setup();
    fail(MOST);

    circuit.failed(false, MOST);
    circuit.succeeded(false);

    expect([circuit.state, circuit.waitMs()]).toEqual(['open', FIRST_HOLD_MS]);
  });

  it('lets the next call probe when the probe ended without telling anything', () => {
    const { circuit, clock, fail } = setup();
    fail(MOST);
    clock.now += FIRST_HOLD_MS;

    circuit.abandoned(circuit.enter());

    expect([circuit.waitMs(), circuit.enter()]).toEqual([0, true]);
  });

  it('is not kept for ever by a probe that says nothing', () => {
    const { circuit, clock, fail } = setup();
    fail(MOST);
    clock.now += FIRST_HOLD_MS;
    circuit.enter();

    clock.now += PROBE_MS;

    expect([circuit.waitMs(), circuit.enter()]).toEqual([0, true]);
  });

  it('begins anew when the API is changed', () => {
    const { circuit, fail } = setup();
    fail(MOST);

    circuit.close();

    expect([circuit.state, circuit.waitMs()]).toEqual(['closed', 0]);
  });
});
