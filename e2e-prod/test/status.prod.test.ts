// One part after the other is killed: `status` names it, what does not need it goes on, and it comes back.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ask,
  askDoor,
  containersOf,
  deploy,
  docker,
  type Machine,
  newMachine,
  untilHealthy,
} from './mesh.ts';

/** Which parts `status` calls failing. */
async function failing(): Promise<string[]> {
  const { output } = await deploy('status');
  return [...new Set([...output.matchAll(/^FAIL\s+(\S+)/gm)].map((match) => match[1]!))];
}

describe('a part that is killed', () => {
  let machine: Machine;

  beforeAll(async () => {
    machine = await newMachine();
    await forwards();
  });

  const forwards = async () => (await askDoor(machine.forward('/echo'), { headers: machine.auth })).status;
  const operators = async () => (await askDoor('/api/zeq/operators')).status;

  /** Kills, looks, starts it again and waits until all is well. */
  async function without<T>(service: string, look: () => Promise<T>): Promise<T> {
    const [name] = await containersOf(service);
    await docker('kill', name!); // a kill by hand is not restarted by the engine
    try {
      return await look();
    } finally {
      await docker('start', name!);
      await untilHealthy(name!);
      for (let i = 0; i < 60 && (await deploy('status')).code !== 0; i++) await sleep(500);
    }
  }

  it.each(['sync-engine', 'zeqond-daemon', 'operator-engine', 'redis', 'mongo'])(
    '%s is named, and forwarding goes on',
    async (service) => {
      const [named, statuses] = await without(service, async () => {
        const calls: number[] = [];
        for (let i = 0; i < 20; i++) {
          calls.push(await forwards());
          await sleep(50);
        }
        return [await failing(), calls] as const;
      });

      expect(named).toContain(service);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      expect(await failing()).toEqual([]);
    },
  );

  it('byok-vault is named; a leased API goes on for a moment, then 503 with Retry-After is said', async () => {
    await forwards();
    const [named, first, later, other] = await without('byok-vault', async () => {
      const atOnce = await forwards();
      await sleep(7_000);
      const afterwards = await askDoor(machine.forward('/echo'), { headers: machine.auth });
      return [await failing(), atOnce, afterwards, await operators()] as const;
    });

    expect(named).toContain('byok-vault');
    expect(first).toBe(200);
    expect([later.status, later.headers['x-zeq-error']]).toEqual([503, 'vault_unavailable']);
    expect(Number(later.headers['retry-after'])).toBeGreaterThan(0);
    expect(other).toBe(200);
    expect(await forwards()).toBe(200);
  });

  it('postgres is named; a leased API goes on, and what needs the database says 503', async () => {
    await forwards();
    const [named, call, listed] = await without('postgres', async () => {
      const leased = await forwards();
      const list = await askDoor(`/api/zeq/apis/${machine.slug}`, { headers: machine.auth });
      return [await failing(), leased, list] as const;
    });

    expect(named).toContain('postgres');
    expect(call).toBe(200);
    expect([listed.status, listed.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(await forwards()).toBe(200);
  });

  it('forwarder is named; the rest of the API goes on', async () => {
    const [named, call, listed] = await without(
      'forwarder',
      async () =>
        [
          await failing(),
          await forwards(),
          (await askDoor(`/api/zeq/apis/${machine.slug}`, { headers: machine.auth })).status,
        ] as const,
    );

    expect(named).toContain('forwarder');
    expect([call, listed]).toEqual([503, 200]);
  });

  it('gateway is named, and nginx says 503 as a problem document', async () => {
    const [named, answer] = await without(
      'gateway',
      async () => [await failing(), await ask('/api-health')] as const,
    );

    expect(named).toContain('gateway');
    expect([answer.status, answer.headers['x-zeq-error']]).toEqual([503, 'service_unavailable']);
  });

  it('nginx is named, and the services behind it are not called dead', async () => {
    const { output } = await without('nginx', () => deploy('status'));

    expect(output).toMatch(/^FAIL\s+nginx/m);
    expect(output).toMatch(/^ok\s+gateway\s+healthy/m);
    expect(output).toMatch(/^ok\s+forwarder\s+healthy/m);
  });
});
