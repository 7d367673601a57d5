import { HITE_SESSION_MS } from '@zeq/crypto';
import { systemTime, type TimeSource } from '@zeq/service-kit';
import { LocalSessions } from '../src/hite/local-sessions.ts';
import { hiteSessionsContract, newSession } from './hite-sessions.contract.ts';
import { type Rig, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient } from './kit/hite.ts';

/** Clocks in the hand of a test. */
class TestTime implements TimeSource {
  wall = Date.now();
  monotonic = 1_000;
  readonly schedule = systemTime.schedule;

  wallMs = () => this.wall;
  monotonicMs = () => this.monotonic;

  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

hiteSessionsContract('sessions in the process', (max) => new LocalSessions(systemTime, max));

describe('sessions in the process', () => {
  it('make room by what is over before anything else', async () => {
    const time = new TestTime();
    const sessions = new LocalSessions(time, 2);
    const [one, other] = [await newSession(), await newSession()];
    await sessions.add(one);
    await sessions.add(other);
    await Promise.all([sessions.take(one.id, 0), sessions.take(other.id, 0)]);

    time.pass(HITE_SESSION_MS);

    await expect(sessions.add(await newSession())).resolves.toBeUndefined();
  });
});

describe('a session of one hour', () => {
  let time: TestTime;
  let rig: Rig;
  let client: HiteClient;
  beforeEach(async () => {
    time = new TestTime();
    rig = await startRig({ env: { ZEQ_HITE_SECRET: HITE_SECRET }, time });
    client = await HiteClient.begin(rig.url);
  });
  afterEach(() => rig.stop());

  const send = async () => {
    const { status, headers } = await client.send(
      await client.seal({ path: '/ready' }, client.nextCounter()),
    );
    return headers['x-zeq-error'] ?? status;
  };

  it.each([
    ['a second before its end', HITE_SESSION_MS - 1_000, 200],
    ['at its end', HITE_SESSION_MS, 'hite_session_unknown'],
    ['a second after its end', HITE_SESSION_MS + 1_000, 'hite_session_unknown'],
  ])('counts %s', async (_name, ms, expected) => {
    time.pass(ms);

    expect(await send()).toBe(expected);
  });

  it('is not prolonged by a clock that is set back', async () => {
    time.pass(HITE_SESSION_MS);
    time.wall -= HITE_SESSION_MS;

    expect(await send()).toBe('hite_session_unknown');
  });

  it('ends with a clock that is set forward', async () => {
    time.wall += HITE_SESSION_MS;

    expect(await send()).toBe('hite_session_unknown');
  });
});
