import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const scripts = execFileSync('git', ['ls-files', '*.sh', '.ci/run'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');
const head = (script: string) => readFileSync(join(ROOT, script), 'utf8').split('\n');

/** Runs a program in the project's folder; what it wrote is in the failure message. */
function run(program: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

describe('the shell scripts', () => {
  it('are found', () => {
    expect(scripts).toEqual(expect.arrayContaining(['.ci/run', 'scripts/deploy-prod.sh', 'nginx/start.sh']));
  });

  it.each(scripts)('%s has nothing that shellcheck would say', (script) => {
    expect(run('shellcheck', '--external-sources', script)).toEqual({ status: 0, output: '' });
  });

  it.each(scripts.filter((script) => head(script)[0] === '#!/bin/sh'))(
    '%s is understood by a POSIX shell',
    (script) => {
      expect(run('dash', '-n', script)).toEqual({ status: 0, output: '' });
    },
  );

  it.each(scripts)('%s says at its head what it is', (script) => {
    const comments = head(script).filter((line) => /^# (?!shellcheck)/.test(line));

    expect(comments.length).toBeGreaterThan(0);
  });
});

describe('generate-secrets.sh', () => {
  it('keeps its promises', () => {
    const { status, output } = run('bash', 'scripts/test/generate-secrets.test.sh');

    expect(output).toMatch(/^\d+ passed, 0 failed$/m);
    expect(status).toBe(0);
  });
});
