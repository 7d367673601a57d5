// `npm run build:sdk`: packages/sdk/dist, a folder that can be published as it is (`npm publish packages/sdk/dist`).
import { execFile } from 'node:child_process';
import { chmod, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SDK = join(ROOT, 'packages/sdk');
const DIST = join(SDK, 'dist');
const TYPES = join(DIST, 'types');
/** Where the types of our packages end up; a published package cannot name the workspace. */
const DOORS: Record<string, string> = {
  '@zeq/contracts': 'contracts/src/index.js',
  '@zeq/crypto/web': 'crypto/src/web/index.js',
};

/** The library, the command with the daemon beside it, the types, and the manifest. @throws Error with what a tool said. */
export async function buildSdk(): Promise<string> {
  await rm(DIST, { recursive: true, force: true });
  for (const mode of ['client', 'cli']) await runTool('vite/bin/vite.js', ['build', '--mode', mode]);
  await runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  for (const file of await filesIn(TYPES))
    await writeFile(file, published(file, await readFile(file, 'utf8')));
  await writeFile(join(DIST, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`);
  for (const name of ['LICENSE', 'NOTICE']) await copyFile(join(ROOT, name), join(DIST, name));
  await copyFile(join(ROOT, 'docs/sdk.md'), join(DIST, 'README.md'));
  await chmod(join(DIST, 'cli/zeq.js'), 0o755);
  return DIST;
}

async function runTool(tool: string, args: string[]): Promise<void> {
  const from = tool.startsWith('vite') ? SDK : ROOT;
  const program = join(from, 'node_modules', tool);
  const quiet = tool.startsWith('vite') ? ['--logLevel', 'warn'] : [];
  try {
    await promisify(execFile)(process.execPath, [program, ...args, ...quiet], { cwd: SDK });
  } catch (err) {
    const { stdout, stderr } = err as { stdout: string; stderr: string };
    throw new Error(`${tool} failed:\n${stdout}${stderr}`);
  }
}

/** Declarations name files of the sources; here they name each other. */
function published(file: string, text: string): string {
  const relativeTo = (target: string) => {
    const path = relative(dirname(file), join(TYPES, target));
    return path.startsWith('.') ? path : `./${path}`;
  };
  return text
    .replace(/(['"])(\.{1,2}\/[^'"]+)\.ts\1/g, '$1$2.js$1')
    .replace(/(['"])(@zeq\/[^'"]+)\1/g, (_whole, quote: string, name: string) => {
      const door = DOORS[name];
      if (door === undefined) throw new Error(`${file} names ${name}, which has no place in the build`);
      return `${quote}${relativeTo(door)}${quote}`;
    });
}

async function manifest(): Promise<object> {
  const { name, version, description, license, dependencies } = JSON.parse(
    await readFile(join(SDK, 'package.json'), 'utf8'),
  ) as Record<string, string> & { dependencies: Record<string, string> };
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: '>=20.11' },
    exports: { '.': { types: './types/sdk/src/index.d.ts', default: './index.js' } },
    bin: { zeq: 'cli/zeq.js' },
    sideEffects: false,
    dependencies: { zod: dependencies.zod }, // the declarations are made of its types; nothing loads it
  };
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${await buildSdk()}\n`);
