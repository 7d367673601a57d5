// Runs one of our TypeScript programs on the pinned Node, installing the workspace first when it has to.
//
//   node scripts/with-deps.mjs PROGRAM.ts [arguments]   a program of ours
//   node scripts/with-deps.mjs --bin NAME [arguments]   a tool from node_modules/.bin
//   node scripts/with-deps.mjs --jest [arguments]       jest, with ES modules switched on
//
// Plain JavaScript without a dependency, because it runs on whatever Node the machine has, before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');
const NODE = join(BIN, 'node');
const STAMP = join(ROOT, 'node_modules', '.zeq-installed');
const PNPM = 'pnpm@10.34.9';

const [first, ...rest] = process.argv.slice(2);
if (first === undefined)
  fail('usage: node scripts/with-deps.mjs PROGRAM.ts | --bin NAME | --jest [arguments]');

if (!installed()) await install();
const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
const child = spawn(...commandLine(), { cwd: ROOT, stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (err) => fail(err.message));
child.on('exit', (code, signal) => process.exit(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)));

function commandLine() {
  if (first === '--bin') return [join(BIN, rest[0] ?? ''), rest.slice(1)];
  if (first === '--jest') {
    const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
    return [NODE, ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...rest]];
  }
  return [NODE, [join(ROOT, first), ...rest]];
}

/** What must not have changed since the last install. The lockfile states every manifest of the workspace. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(ROOT, name)));
  return hash.digest('hex');
}

function installed() {
  return existsSync(NODE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

async function install() {
  process.stderr.write('Installing the packages of the lockfile (once; about half a minute) …\n');
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const args = ['--yes', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'];
  const code = await new Promise((resolve) => {
    const run = spawn(npx, args, { cwd: ROOT, stdio: ['ignore', 2, 'inherit'] });
    run.on('error', (err) => fail(`npx could not be started: ${err.message}`));
    run.on('exit', resolve);
  });
  if (code !== 0 || !existsSync(NODE)) fail('the packages could not be installed; the lines above say why');
  mkdirSync(join(ROOT, 'node_modules'), { recursive: true });
  writeFileSync(STAMP, fingerprint());
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
