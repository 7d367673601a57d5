import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../runtime.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What each room may import of ours. The rooms that put everything together (dev, e2e, bench) may reach further. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'packages/crypto': [],
  'packages/contracts': [],
  'packages/egress': [],
  'packages/service-kit': ['@zeq/contracts'],
  'packages/sdk': ['@zeq/contracts', '@zeq/crypto'],
  'packages/byok-app': ['@zeq/contracts', '@zeq/crypto', '@zeq/sdk'],
  services: ['@zeq/contracts', '@zeq/crypto', '@zeq/egress', '@zeq/service-kit'],
};

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\b[^'"`;()]*?from\s*['"]([^'"]+)['"]|(?:^|\n)import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'out', 'vectors'].includes(entry.name) ? [] : sources(path);
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** The room of a file: `packages/crypto`, `services/gateway`. */
const roomOf = (file: string) => relative(ROOT, file).split('/').slice(0, 2).join('/');
const rulesOf = (room: string) => MAY_IMPORT[room] ?? MAY_IMPORT[room.split('/')[0]!];

/** A package's second door (`@zeq/crypto/web`) is the same package. */
const packageOf = (name: string) => name.split('/').slice(0, 2).join('/');

const files = ['packages', 'services'].flatMap((name) => sources(join(ROOT, name)));

describe('the direction of dependencies', () => {
  it('finds the sources of every room', () => {
    const rooms = ['packages', 'services'].flatMap((name) =>
      readdirSync(join(ROOT, name))
        .filter((entry) => statSync(join(ROOT, name, entry)).isDirectory())
        .map((entry) => `${name}/${entry}`),
    );

    expect([...new Set(files.map(roomOf))].sort()).toEqual(rooms.sort());
  });

  it('goes one way: services use packages, packages use only what stands below them', () => {
    const wrong = files.flatMap((file) => {
      const allowed = rulesOf(roomOf(file));
      const own = importsOf(file).filter(
        (name) => name.startsWith('@zeq/') && packageOf(name) !== `@zeq/${roomOf(file).split('/')[1]}`,
      );
      return own
        .filter((name) => !allowed?.includes(packageOf(name)))
        .map((name) => `${relative(ROOT, file)} imports ${name}`);
    });

    expect(wrong).toEqual([]);
  });

  it('never leaves a room by a relative path', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.') && roomOf(resolve(dirname(file), name)) !== roomOf(file))
        .map((name) => `${relative(ROOT, file)} imports ${name}`),
    );

    expect(wrong).toEqual([]);
  });

  it('declares every package that a source imports', () => {
    const wrong = files.flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, roomOf(file), 'package.json'), 'utf8'));
      const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      const known = Object.keys({
        ...manifest.dependencies,
        ...manifest.devDependencies,
        ...(file.includes('/src/') ? {} : root.devDependencies),
      });
      return importsOf(file)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter(
          (name) => name !== manifest.name && !known.includes(name) && !known.includes(`@types/${name}`),
        )
        .map((name) => `${relative(ROOT, file)} imports ${name}`);
    });

    expect([...new Set(wrong)]).toEqual([]);
  });
});

describe('Dockerfile', () => {
  it('starts a service with the flags of the launcher', () => {
    const entrypoint = /^ENTRYPOINT (.+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))![1]!;

    expect(JSON.parse(entrypoint)).toEqual(['node', ...NODE_FLAGS, '--disable-warning=ExperimentalWarning']);
  });
});

describe('ARCHITECTURE.md', () => {
  it('gives the reason of every package the workspace depends on', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const manifests = [
      'package.json',
      ...['packages', 'services'].flatMap((name) =>
        readdirSync(join(ROOT, name)).map((room) => `${name}/${room}/package.json`),
      ),
      'dev/package.json',
      'e2e/package.json',
      'faults/package.json',
    ];
    const names = manifests.flatMap((path) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
      return Object.keys({ ...dependencies, ...devDependencies }).filter(
        (name) => !name.startsWith('@zeq/') && !name.startsWith('@types/'),
      );
    });

    expect([...new Set(names)].filter((name) => !text.includes(`\`${name}\``)).sort()).toEqual([]);
  });
});
