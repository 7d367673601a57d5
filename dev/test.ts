// `npm test`: types, lint, then every test that needs nothing installed. Arguments go to jest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string) => join(ROOT, 'node_modules', '.bin', name);
const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), ...process.argv.slice(2)];

run('types', bin('tsc'), ['--noEmit']);
run('types of the page', bin('tsc'), ['--noEmit', '--project', 'packages/byok-app']);
run('lint', bin('biome'), ['check']);
run('tests', process.execPath, [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  ...jest,
]);

function run(what: string, command: string, args: string[]): void {
  process.stdout.write(`\n— ${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
