// What a container scan by hand would look for.
import { containersOf, docker, setting } from './mesh.ts';

const OURS = ['gateway', 'byok-vault', 'forwarder', 'sync-engine', 'operator-engine', 'zeqond-daemon'];
const ALL = [...OURS, 'nginx', 'certbot', 'postgres', 'redis', 'mongo'];
const WITHOUT_A_WAY_OUT = ALL.filter((name) => name !== 'forwarder' && name !== 'certbot');

interface Inspected {
  Config: { User: string; Env: string[] };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[];
    CapAdd: string[] | null;
    Privileged: boolean;
    SecurityOpt: string[];
    Ulimits: { Name: string; Hard: number; Soft: number }[] | null;
    Memory: number;
    NanoCpus: number;
    PidsLimit: number;
    RestartPolicy: { Name: string };
    LogConfig: { Config: Record<string, string> };
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
    Init: boolean;
  };
  NetworkSettings: { Networks: Record<string, object> };
}

async function inspect(service: string): Promise<Inspected> {
  const [name] = await containersOf(service);
  const { output } = await docker('inspect', name!);
  return (JSON.parse(output) as Inspected[])[0]!;
}

const SECRETS = [
  'ZEQ_FIELD_KEY',
  'ZEQ_INTERNAL_SECRET',
  'JWT_SECRET',
  'ZEQ_API_KEYS',
  'ZEQ_ADMIN_KEYS',
  'ZEQ_HITE_SECRET',
  'ZEQ_SYNC_SECRET',
  'POSTGRES_PASSWORD',
  'REDIS_PASSWORD',
  'MONGO_PASSWORD',
];

it.each(OURS)('%s begins with what V8 has compiled of it, and cannot write there', async (service) => {
  const [name] = await containersOf(service);
  const read = `NODE_DEBUG_NATIVE=COMPILE_CACHE node --disable-sigusr1 --max-semi-space-size=16 --input-type=module -e "await import('/mesh/services/${service}/src/config.ts')" 2>&1`;

  const { output } = await docker('exec', name!, 'sh', '-c', read);
  const writable = await docker('exec', name!, 'sh', '-c', 'find "$NODE_COMPILE_CACHE" -writable');

  expect(output).toMatch(
    new RegExp(`cache for ESM file:///mesh/services/${service}/src/config.ts was accepted`),
  );
  expect(output).not.toMatch(/rejected|mismatch/);
  expect(writable.output).toBe('');
});

describe.each(ALL)('the container of %s', (service) => {
  it('is nobody special: no root, no capability, nothing to gain, nothing to write', async () => {
    const { Config, HostConfig } = await inspect(service);

    expect(Config.User.split(':')[0]).toMatch(/^(node|[1-9]\d*)$/);
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      Privileged: false,
      Init: true,
    });
    expect(HostConfig.CapAdd ?? []).toEqual([]);
    expect(HostConfig.SecurityOpt).toContain('no-new-privileges:true');
    expect(HostConfig.Ulimits).toContainEqual({ Name: 'core', Hard: 0, Soft: 0 });
  });

  it('has limits, rotated logs and a restart policy', async () => {
    const { HostConfig } = await inspect(service);

    expect(HostConfig.Memory).toBeGreaterThan(0);
    expect(HostConfig.NanoCpus).toBeGreaterThan(0);
    expect(HostConfig.PidsLimit).toBeGreaterThan(0);
    expect(HostConfig.RestartPolicy.Name).toBe('unless-stopped');
    expect(HostConfig.LogConfig.Config).toEqual({ 'max-size': '10m', 'max-file': '5' });
  });

  it('shows no secret to whoever inspects it', async () => {
    const text = JSON.stringify(await inspect(service));

    expect(SECRETS.filter((name) => text.includes(setting(name)))).toEqual([]);
  });

  it('cannot write to its own root', async () => {
    const [name] = await containersOf(service);
    const { code, output } = await docker('exec', name!, 'sh', '-c', 'echo x > /x');

    expect(code).not.toBe(0);
    expect(output).toMatch(/Read-only|Permission denied/);
  });
});

describe('the networks', () => {
  it('publish nginx alone: 80 and 443 to all, the other ports on 127.0.0.1', async () => {
    const published = await Promise.all(
      ALL.map(async (service) => {
        const { PortBindings } = (await inspect(service)).HostConfig;
        return Object.values(PortBindings ?? {})
          .flat()
          .map(({ HostIp, HostPort }) => `${service} ${HostIp || '*'}:${HostPort}`);
      }),
    );

    expect(published.flat().sort()).toEqual(
      ['*:443', '*:80', ...[2871, 4000, 4001, 4002, 4003, 8080].map((port) => `127.0.0.1:${port}`)]
        .map((address) => `nginx ${address}`)
        .sort(),
    );
  });

  it.each(WITHOUT_A_WAY_OUT)(
    'give %s no way out, nor a name server that would carry words outside',
    async (service) => {
      const [name] = await containersOf(service);
      const dial = 'timeout 3 bash -c "exec 3<>/dev/tcp/$0/$1"';
      const connects = await Promise.all(
        ['1.1.1.1 443', '8.8.8.8 53', `${await outsideAddress()} 9000`].map(async (target) => {
          const { code } = await docker('exec', name!, 'sh', '-c', dial, ...target.split(' '));
          return code === 0;
        }),
      );

      expect(connects).toEqual([false, false, false]);
    },
  );

  it('give the forwarder one', async () => {
    const [name] = await containersOf('forwarder');
    const { code } = await docker(
      'exec',
      name!,
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${await outsideAddress()}/9000`,
    );

    expect(code).toBe(0);
  });

  /** The provider's address, on the network that is the way out. */
  async function outsideAddress(): Promise<string> {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return (await docker('inspect', '-f', format, 'zeqtest_upstream')).output.trim();
  }
});

describe('the secrets', () => {
  it('are mounted only where they are needed: ZEQ_FIELD_KEY in the vault alone', async () => {
    const holders = await Promise.all(
      OURS.map(async (service) => {
        const [name] = await containersOf(service);
        const { output } = await docker('exec', name!, 'ls', '/run/secrets');
        return output.split('\n').includes('ZEQ_FIELD_KEY') ? [service] : [];
      }),
    );

    expect(holders.flat()).toEqual(['byok-vault']);
  });

  it('are in no layer of the image', async () => {
    const [name] = await containersOf('gateway');
    const { output } = await docker(
      'exec',
      name!,
      'sh',
      '-c',
      'find /mesh -name ".env*" -o -name ".secrets" -o -name "*.pem" -path "*/mesh/[ps]*"',
    );
    const history = await docker('history', '--no-trunc', 'zeq-mesh:latest');

    expect(output.trim()).toBe('');
    expect(SECRETS.filter((secret) => history.output.includes(setting(secret)))).toEqual([]);
  });
});
