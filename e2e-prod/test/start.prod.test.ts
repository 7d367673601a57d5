// Services that are started before the databases they need.
import { setTimeout as sleep } from 'node:timers/promises';
import { askDoor, compose, containersOf, deploy, docker, newMachine, untilHealthy } from './mesh.ts';

/** What each says it misses while no database is there. */
const MISSING: Record<string, string> = {
  'byok-vault': 'database',
  forwarder: 'byok-vault',
  gateway: 'vault',
  'sync-engine': 'database',
  'operator-engine': 'store',
};
const SERVICES = Object.keys(MISSING);
const LONG_MS = 600_000;
/** Asks /health of the one service in a container. */
const ASK_HEALTH = `
  const port = Object.entries(process.env).find(([name]) => /^(GATEWAY|SYNC|VAULT|FORWARDER|OPERATOR)_PORT$/.test(name))[1];
  fetch('http://127.0.0.1:' + port + '/health').then(async (res) => console.log(await res.text()));`;

describe('services without their databases', () => {
  beforeAll(async () => {
    await compose('stop', ...SERVICES, 'postgres', 'redis', 'mongo');
    // by the engine itself, which knows no order
    await docker('start', ...(await Promise.all(SERVICES.map(containersOf))).flat());
    await Promise.all(SERVICES.map(untilItListens));
  }, LONG_MS);

  const inside = async (service: string, ...command: string[]) =>
    docker('exec', (await containersOf(service))[0]!, ...command);

  async function untilItListens(service: string): Promise<void> {
    for (let i = 0; i < 120; i++) {
      if (!(await readiness(service)).includes('no answer')) return;
      await sleep(500);
    }
    throw new Error(`${service} does not listen`);
  }

  const readiness = async (service: string): Promise<string> =>
    (await inside(service, 'bash', 'scripts/healthcheck.sh')).output.trim();

  const restarts = () =>
    Promise.all(
      SERVICES.map(async (service) => {
        const [name] = await containersOf(service);
        return (await docker('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', name!)).output.trim();
      }),
    );

  it.each(SERVICES)('%s is alive, says what it misses, and does not end', async (service) => {
    expect(await readiness(service)).toBe(`not_ready: ${MISSING[service]}`);
    expect((await inside(service, 'node', '-e', ASK_HEALTH)).output).toContain('"status":"ok"');
  });

  it.each(['byok-vault', 'sync-engine'])(
    '%s says once in its log that it waits for the database',
    async (service) => {
      const [name] = await containersOf(service);
      const { output: since } = await docker('inspect', '-f', '{{.State.StartedAt}}', name!);

      const { output } = await docker('logs', '--since', since.trim(), name!);

      expect(output.match(/the database cannot be reached; waiting for it/g)).toHaveLength(1);
    },
  );

  it(
    'all serve by themselves once the databases are there, without having been started again',
    async () => {
      await compose('start', 'postgres', 'redis', 'mongo');
      for (const service of SERVICES) await untilHealthy((await containersOf(service))[0]!);

      expect(await restarts()).toEqual(SERVICES.map(() => 'running 0'));
      const machine = await newMachine();
      expect((await askDoor(machine.forward('/echo'), { headers: machine.auth })).status).toBe(200);
      expect((await deploy('status')).code).toBe(0);
    },
    LONG_MS,
  );
});
