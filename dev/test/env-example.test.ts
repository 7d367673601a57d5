import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SAMPLE, SERVICES } from '../services.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
/** `NAME=…`, also where it is commented out as `# NAME=…`. */
const listed = new Set([...example.matchAll(/^(?:# ?)?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]!));

/** Variables of the runtime and the desktop, which are not the mesh's to document. */
const FOREIGN = new Set([
  'PATH',
  'HOME',
  'TZ',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'CI',
  'XDG_CONFIG_HOME',
  'XDG_STATE_HOME',
]);

function codeFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'test', 'data'].includes(entry.name) ? [] : codeFiles(path);
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [path] : [];
  });
}

describe('.env.example', () => {
  it.each(SERVICES.map(({ name }) => name))('lists every variable that %s reads', async (name) => {
    const { Env } = (await import(join(ROOT, 'services', name, 'src/config.ts'))) as {
      Env: { shape: object };
    };

    expect(Object.keys(Env.shape).filter((variable) => !listed.has(variable))).toEqual([]);
  });

  it('lists every variable that is read by its name anywhere', () => {
    const read = ['packages', 'services', 'dev']
      .flatMap((folder) => codeFiles(join(ROOT, folder)))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/\benv(?:\.|\[')([A-Z][A-Z0-9_]+)\b/g)].map(
          (match) => match[1]!,
        ),
      );
    const own = read.filter((name) => !FOREIGN.has(name) && !['SAMPLE_KEY'].includes(name));

    expect([...new Set(own)].filter((name) => !listed.has(name))).toEqual([]);
  });

  it('lists the port of every process', () => {
    const ports = [...SERVICES, SAMPLE].map(({ portVariable }) => portVariable);

    expect(ports.filter((name) => !listed.has(name))).toEqual([]);
  });

  it('lists nothing that no service, script, compose file or command reads', async () => {
    const shapes = await Promise.all(
      SERVICES.map(async ({ name }) =>
        Object.keys((await import(join(ROOT, 'services', name, 'src/config.ts'))).Env.shape),
      ),
    );
    const known = new Set([...shapes.flat(), SAMPLE.portVariable]);
    const verbs = readdirSync(join(ROOT, 'scripts/deploy')).map((name) => `scripts/deploy/${name}`);
    const elsewhere = ['docker-compose.yml', 'scripts/generate-secrets.sh', ...verbs]
      .flatMap((path) =>
        readdirSync(join(ROOT, path, '..')).includes(path.split('/').at(-1)!)
          ? [readFileSync(join(ROOT, path), 'utf8')]
          : [],
      )
      .concat(codeFiles(join(ROOT, 'packages/sdk/src/cli')).map((path) => readFileSync(path, 'utf8')))
      .join('\n');

    expect(
      [...listed].filter((name) => !known.has(name) && !new RegExp(`\\b${name}\\b`).test(elsewhere)),
    ).toEqual([]);
  });
});
