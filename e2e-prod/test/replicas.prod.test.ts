// Several forwarders and gateways on one Redis: what holds over all of them, and what holds when Redis is gone.
import { startLoad } from './load.ts';
import {
  type Answer,
  askDoor,
  containersOf,
  deploy,
  docker,
  type Machine,
  newMachine,
  putSetting,
  untilHealthy,
} from './mesh.ts';

const FORWARDERS = 3;
const GATEWAYS = 2;
const CALLS = 2_000;
const PER_MINUTE = 60;
const LONG_MS = 600_000;

describe(`${FORWARDERS} forwarders and ${GATEWAYS} gateways`, () => {
  beforeAll(async () => {
    putSetting('ZEQ_FORWARDERS', `${FORWARDERS}`);
    putSetting('ZEQ_GATEWAYS', `${GATEWAYS}`);
    expect((await deploy('up')).code).toBe(0);
  }, LONG_MS);

  afterAll(async () => {
    putSetting('ZEQ_FORWARDERS', '');
    putSetting('ZEQ_GATEWAYS', '');
    await deploy('up');
  }, LONG_MS);

  /** One call; a broken connection is an answer too, and none that is expected. */
  const call = (machine: Machine): Promise<Pick<Answer, 'status' | 'headers'>> =>
    askDoor(machine.forward('/echo'), { headers: machine.auth }).catch((err: Error) => {
      throw new Error(`a call was not answered: ${err.message}`);
    });

  const statuses = (answers: Pick<Answer, 'status'>[]): Record<number, number> => {
    const counted: Record<number, number> = {};
    for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
    return counted;
  };

  /** When each container was started: it changes when one crashes and the engine starts it again. */
  async function starts(): Promise<string[]> {
    const names = [...(await containersOf('forwarder')), ...(await containersOf('gateway'))].sort();
    return Promise.all(
      names.map(
        async (name) =>
          `${name} ${(await docker('inspect', '-f', '{{.State.StartedAt}}', name)).output.trim()}`,
      ),
    );
  }

  /** The calls that each forwarder carried itself, by its own metrics. */
  async function carried(): Promise<number[]> {
    const script =
      "fetch('http://127.0.0.1:4003/metrics').then((r)=>r.text()).then((t)=>console.log(t.split('\\n').filter((l)=>/^zeq_forward_calls_total/.test(l)).reduce((n,l)=>n+Number(l.split(' ').at(-1)),0)))";
    const names = await containersOf('forwarder');
    return Promise.all(
      names.map(async (name) => Number((await docker('exec', name, 'node', '-e', script)).output)),
    );
  }

  it('run side by side, and status names each of them well', async () => {
    const { code, output } = await deploy('status');

    expect([(await containersOf('forwarder')).length, (await containersOf('gateway')).length]).toEqual([
      FORWARDERS,
      GATEWAYS,
    ]);
    expect(code).toBe(0);
    expect(output.match(/^ok\s+forwarder\s+healthy/gm)).toHaveLength(FORWARDERS);
  });

  it(
    `let exactly ${PER_MINUTE} of ${CALLS} concurrent calls pass when the API allows ${PER_MINUTE} a minute`,
    async () => {
      const machine = await newMachine(PER_MINUTE);

      const answers = await Promise.all(Array.from({ length: CALLS }, () => call(machine)));

      expect(statuses(answers)).toEqual({ 200: PER_MINUTE, 429: CALLS - PER_MINUTE });
      const refused = answers.find(({ status }) => status === 429)!;
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  it('share the calls among all forwarders', async () => {
    const machine = await newMachine();
    const before = await carried();
    await Promise.all(Array.from({ length: 300 }, () => call(machine)));

    const own = (await carried()).map((count, i) => count - before[i]!);

    expect(own.reduce((sum, count) => sum + count)).toBe(300);
    expect(Math.min(...own)).toBeGreaterThan(0);
  });

  it(
    'count each for itself when Redis stops in mid-run, at most one limit per forwarder, and none crashes',
    async () => {
      const [before, machine] = [await starts(), await newMachine(PER_MINUTE)];
      const [redis] = await containersOf('redis');
      const first = await Promise.all(Array.from({ length: CALLS / 4 }, () => call(machine)));
      const running = Array.from({ length: CALLS / 4 }, () => call(machine));

      await docker('kill', redis!);
      const during = await Promise.all(running);
      const after = await Promise.all(Array.from({ length: CALLS / 2 }, () => call(machine)));
      await docker('start', redis!);
      await untilHealthy(redis!);

      const all = statuses([...first, ...during, ...after]);
      expect(statuses(first)).toEqual({ 200: PER_MINUTE, 429: CALLS / 4 - PER_MINUTE });
      expect(Object.keys(all).sort()).toEqual(['200', '429']);
      expect(all[200]).toBeLessThanOrEqual(FORWARDERS * PER_MINUTE);
      expect(await starts()).toEqual(before);
    },
    LONG_MS,
  );

  it(
    'are as many after an upgrade as before it, and it loses no request',
    async () => {
      const load = startLoad(await newMachine(), 50);

      const { code } = await deploy('upgrade', '--no-build');
      const { failed } = await load.stop();

      expect([code, failed]).toEqual([0, []]);
      expect([(await containersOf('forwarder')).length, (await containersOf('gateway')).length]).toEqual([
        FORWARDERS,
        GATEWAYS,
      ]);
    },
    LONG_MS,
  );
});
