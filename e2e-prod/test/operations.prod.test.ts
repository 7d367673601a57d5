// What an operator does to a mesh that is in use.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from './load.ts';
import {
  askDoor,
  containersOf,
  deploy,
  docker,
  type Machine,
  newMachine,
  putSetting,
  setting,
} from './mesh.ts';

const PER_SECOND = 50;
const LONG_MS = 600_000;

describe('deploy-prod.sh', () => {
  let machine: Machine;
  let folder: string;

  beforeAll(async () => {
    machine = await newMachine();
    folder = mkdtempSync('/tmp/zeq-backup-');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const forwards = async (of = machine) => (await askDoor(of.forward('/echo'), { headers: of.auth })).status;

  it.each([
    'up',
    'down',
    'status',
    'logs',
    'init-tls',
    'renew-certs',
    'backup',
    'restore',
    'rotate-field-key',
    'rotate-api-key',
    'upgrade',
  ])('%s --help explains and does nothing else', async (verb) => {
    const { code, output } = await deploy(verb, '--help');

    expect([code, output.startsWith(verb)]).toEqual([0, true]);
  });

  it('says what it knows when it is asked for something else', async () => {
    const { code, output } = await deploy('dwon');

    expect([code, output.includes('scripts/deploy-prod.sh down')]).toEqual([2, true]);
  });

  it(
    'up changes nothing when everything runs',
    async () => {
      const before = await ids();
      const { code } = await deploy('up');

      expect(code).toBe(0);
      expect(await ids()).toEqual(before);
    },
    LONG_MS,
  );

  async function ids(): Promise<string[]> {
    return (await docker('ps', '-q', '--no-trunc')).output.trim().split('\n').sort();
  }

  it(
    'upgrade replaces every service under load without losing a request',
    async () => {
      const before = await ids();
      const load = startLoad(machine, PER_SECOND);
      const version = `t${Date.now()}`;

      const { code, output } = await deploy('upgrade', version);
      const { sent, failed } = await load.stop();

      expect([code, output]).toEqual([0, expect.stringContaining(`version ${version} serves`)]);
      expect(sent).toBeGreaterThan(PER_SECOND * 10);
      expect(failed).toEqual([]);
      expect((await ids()).filter((id) => before.includes(id))).toHaveLength(before.length - 6);
      expect(setting('ZEQ_VERSION')).toBe(version);
      expect((await deploy('status')).code).toBe(0);
    },
    LONG_MS,
  );

  it(
    'upgrade goes back by itself when a new version does not come up',
    async () => {
      const version = setting('ZEQ_VERSION');
      const broken = `broken${Date.now()}`;
      const recipe = `FROM zeq-mesh:${version}\nUSER root\nRUN rm services/forwarder/src/main.ts\nUSER node\n`;
      writeFileSync(join(folder, 'Dockerfile'), recipe);
      await docker('build', '-q', '-t', `zeq-mesh:${broken}`, folder);
      const load = startLoad(machine, PER_SECOND);

      const { code, output } = await deploy('upgrade', broken, '--no-build');
      const { failed } = await load.stop();

      expect([code, output]).toEqual([
        1,
        expect.stringContaining(`forwarder did not come up; going back to ${version}`),
      ]);
      expect(failed).toEqual([]);
      expect(setting('ZEQ_VERSION')).toBe(version);
      expect((await deploy('status')).code).toBe(0);
      const images = await Promise.all(
        ['byok-vault', 'gateway', 'forwarder'].map(async (service) => {
          const [name] = await containersOf(service);
          return (await docker('inspect', '-f', '{{.Config.Image}}', name!)).output.trim();
        }),
      );
      expect(images).toEqual(Array(3).fill(`zeq-mesh:${version}`));
    },
    LONG_MS,
  );

  it(
    'upgrade refuses a bad setting: the new container says which, without its value, and the old ones go on',
    async () => {
      const [version, before] = [setting('ZEQ_VERSION'), await containersOf('gateway')];
      const good = setting('RATE_LIMIT_RPM');
      putSetting('RATE_LIMIT_RPM', 'plenty-of-them');
      putSetting('ALLOWED_ORIGINS', 'everybody-at-all');
      const load = startLoad(machine, PER_SECOND);

      const { code, output } = await deploy('upgrade', '--no-build');
      const { failed } = await load.stop();
      putSetting('RATE_LIMIT_RPM', good);
      putSetting('ALLOWED_ORIGINS', '');

      expect([code, output]).toEqual([1, expect.stringContaining('did not come up; going back')]);
      expect(output).toMatch(/cannot start\. Fix these settings:\n\s+RATE_LIMIT_RPM must be/);
      expect(output).not.toMatch(/plenty-of-them|everybody-at-all/);
      expect(failed).toEqual([]);
      expect([setting('ZEQ_VERSION'), await containersOf('gateway')]).toEqual([version, before]);
      expect((await deploy('status')).code).toBe(0);
    },
    LONG_MS,
  );

  it('each service lists all that is wrong with its settings, and does not start', async () => {
    const wrong = ['LOG_LEVEL=loud', 'ZEQ_INTERNAL_SECRET=short', 'GATEWAY_PORT=0', 'VAULT_PORT=0'];
    const variables = [...wrong, 'FORWARDER_PORT=0', 'SYNC_PORT=0', 'OPERATOR_PORT=0'];
    const answers = await Promise.all(
      ['gateway', 'byok-vault', 'forwarder', 'sync-engine', 'operator-engine'].map((service) =>
        docker(
          ...['run', '--rm', '--network', 'none', '--no-healthcheck'],
          ...variables.flatMap((variable) => ['-e', variable]),
          `zeq-mesh:${setting('ZEQ_VERSION') || 'latest'}`,
          `services/${service}/src/main.ts`,
        ),
      ),
    );

    for (const { code, output } of answers) {
      expect(code).toBe(1);
      expect(output).toMatch(/cannot start\. Fix these settings:/);
      expect(output).toMatch(/^ {2}LOG_LEVEL /m);
      expect(output).toMatch(/^ {2}ZEQ_INTERNAL_SECRET must be at least 32 characters/m);
      expect(output).toMatch(/^ {2}[A-Z]+_PORT must be a port/m);
      expect(output).not.toContain('loud');
    }
  });

  it(
    'rotate-field-key puts every credential under a new key while calls go on',
    async () => {
      const old = setting('ZEQ_FIELD_KEY');
      const load = startLoad(machine, PER_SECOND);

      const { code, output } = await deploy('rotate-field-key');
      const { failed } = await load.stop();

      expect([code, output]).toEqual([0, expect.stringContaining('every credential is under the new key')]);
      expect(output).not.toContain(old);
      expect([setting('ZEQ_FIELD_KEY_PREV'), setting('ZEQ_FIELD_KEY') !== old]).toEqual(['', true]);
      expect(failed).toEqual([]);
      expect(await forwards()).toBe(200);
    },
    LONG_MS,
  );

  it(
    'rotate-api-key lets both keys in until the old one is dropped',
    async () => {
      const old = setting('ZEQ_API_KEYS');
      const knocks = async (key: string) =>
        (await askDoor('/api/v1/status', { headers: { 'X-API-Key': key } })).status;

      const { output } = await deploy('rotate-api-key');
      const [fresh] = setting('ZEQ_API_KEYS').split(',') as [string];
      const both = [await knocks(old), await knocks(fresh)];
      await deploy('rotate-api-key', '--drop-old');

      expect(output).not.toContain(fresh);
      expect(both).toEqual([200, 200]);
      expect([await knocks(old), await knocks(fresh)]).toEqual([401, 200]);
    },
    LONG_MS,
  );

  it(
    'backup, loss of every volume, restore: every registered API still forwards',
    async () => {
      const others = await Promise.all([newMachine(), newMachine()]);
      const passphrase = join(folder, 'passphrase');
      const file = join(folder, 'mesh.backup');
      writeFileSync(passphrase, 'correct horse battery staple\n', { mode: 0o600 });

      const backup = await deploy('backup', file, '--passphrase-file', passphrase);
      expect([backup.code, backup.output]).toEqual([0, expect.stringContaining('mesh.backup')]);
      await deploy('down');
      const volumes = ['postgres_data', 'mongo_data', 'zeqond_data'].map((name) => `zeq_${name}`);
      expect((await docker('volume', 'rm', ...volumes)).code).toBe(0);
      await deploy('up');
      expect(await forwards()).toBe(401); // nobody is known here any more

      const restore = await deploy('restore', file, '--passphrase-file', passphrase, '--yes');

      expect([restore.code, restore.output]).toEqual([0, expect.stringContaining('restored')]);
      await sleep(2_000);
      expect(await Promise.all([machine, ...others].map(forwards))).toEqual([200, 200, 200]);
      expect((await deploy('status')).code).toBe(0);
    },
    LONG_MS,
  );

  it(
    'a backup shows nothing of what is in it, and one that was changed is refused before anything is',
    async () => {
      const file = join(folder, 'mesh.backup');
      const passphrase = join(folder, 'passphrase');
      const bytes = readFileSync(file);
      writeFileSync(join(folder, 'wrong'), 'another passphrase\n');
      const changed = Buffer.from(bytes);
      const at = changed.indexOf('data.cms') + 200_000;
      changed[Math.min(at, changed.length - 20_000)]! ^= 1;
      writeFileSync(join(folder, 'changed.backup'), changed);

      const refusals = [
        await deploy('restore', join(folder, 'changed.backup'), '--passphrase-file', passphrase, '--yes'),
        await deploy('restore', file, '--passphrase-file', join(folder, 'wrong'), '--yes'),
        await deploy('restore', file, '--passphrase-file', passphrase),
      ];

      expect(bytes.includes(machine.slug)).toBe(false);
      expect(refusals.map(({ code }) => code)).toEqual([1, 1, 1]);
      expect(await forwards()).toBe(200);
    },
    LONG_MS,
  );
});
