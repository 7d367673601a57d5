import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const compose = read('docker-compose.yml');
const listed = new Set(
  [...read('.env.example').matchAll(/^(?:# ?)?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name!),
);
const scripts = readdirSync(join(ROOT, 'scripts/deploy')).map((name) => read(`scripts/deploy/${name}`));

const SERVICES = ['gateway', 'byok-vault', 'forwarder', 'sync-engine', 'operator-engine', 'zeqond-daemon'];
/** Not settings: which .env a script works on, and its own constants. */
const OF_THE_SCRIPTS = ['ENV_FILE', 'CERTBOT_WEBROOT'];
/** What the image sets, or what has no place in a container of its own. */
const NOT_IN_COMPOSE = ['ZEQ_BIND', 'ZEQ_DATA_DIR', 'FORWARDER_SOCKET'];

/** The block of one service, with the anchors it merges. */
function blockOf(service: string): string {
  const block = new RegExp(`\\n {2}${service}:\\n([\\s\\S]*?)\\n\\n`).exec(compose)![1]!;
  const shared = /x-environment[\s\S]*?\n\n/.exec(compose)![0];
  return block.includes('<<: *environment') ? block + shared : block;
}

describe('docker-compose.yml', () => {
  it.each(SERVICES)('gives %s every variable that it reads', async (service) => {
    const { Env } = (await import(join(ROOT, 'services', service, 'src/config.ts'))) as {
      Env: { shape: object };
    };
    const block = blockOf(service);
    const wanted = Object.keys(Env.shape).filter((name) => !NOT_IN_COMPOSE.includes(name));
    // the vault reads it only to make sure that it is not the master key
    const own = service === 'byok-vault' ? wanted.filter((name) => name !== 'JWT_SECRET') : wanted;

    expect(own.filter((name) => !new RegExp(`^ +${name}(_FILE)?:`, 'm').test(block))).toEqual([]);
  });

  it('mounts a file for every secret that is given as one, and no other', () => {
    const wrong = SERVICES.filter((service) => {
      const block = blockOf(service);
      const files = [...block.matchAll(/_FILE: \/run\/secrets\/(\S+)/g)].map(([, name]) => name);
      const mounted = [...block.matchAll(/^ {6}- ([A-Z_]+)$/gm)].map(([, name]) => name);
      return files.sort().join() !== mounted.sort().join();
    });

    expect(wrong).toEqual([]);
  });

  it('leaves no image of a process anywhere: no debugger at a signal, no core file', () => {
    const hardened = /x-hardened[\s\S]*?\n\n/.exec(compose)![0];

    expect(hardened).toContain('  ulimits:\n    core: 0\n');
    expect(read('Dockerfile')).toContain('ENTRYPOINT ["node", "--disable-sigusr1"');
  });

  it('reads no variable that .env.example does not list', () => {
    const names = [...compose.matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name]) => name!);

    expect([...new Set(names)].filter((name) => !listed.has(name))).toEqual([]);
  });
});

describe('the scripts', () => {
  it('read no setting that .env.example does not list', () => {
    const names = scripts.flatMap((text) =>
      [...text.matchAll(/(?:setting |env_value "\$env_file" |\$\{)([A-Z]+_[A-Z0-9_]+)/g)].map(
        ([, name]) => name!,
      ),
    );

    expect([...new Set(names)].filter((name) => !listed.has(name) && !OF_THE_SCRIPTS.includes(name))).toEqual(
      [],
    );
  });

  it('make every secret that .env.example says they make', () => {
    const made = [...read('scripts/generate-secrets.sh').matchAll(/^([A-Z_]+) (?:hex|base64) \d+$/gm)].map(
      ([, name]) => name!,
    );

    expect(made.filter((name) => !listed.has(name))).toEqual([]);
    expect(made).toEqual(
      expect.arrayContaining(['JWT_SECRET', 'ZEQ_FIELD_KEY', 'ZEQ_API_KEYS', 'RAG_DB_PASSWORD']),
    );
  });
});
