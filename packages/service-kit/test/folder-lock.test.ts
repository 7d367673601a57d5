import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdFolder } from '../src/folder-lock.ts';

const MODULE = new URL('../src/folder-lock.ts', import.meta.url).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folder-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Another process that holds the folder until it is killed. */
async function otherHolder() {
  const program = `const { holdFolder } = await import(${JSON.stringify(MODULE)});
    holdFolder(${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('holdFolder', () => {
  it('lets one in, and the next one only after it', () => {
    const release = holdFolder(folder);

    expect(() => holdFolder(folder)).toThrow('another process uses the data folder');
    release();
    holdFolder(folder)();
  });

  it('keeps out while another process lives, and lets in as soon as it was killed', async () => {
    const other = await otherHolder();

    expect(() => holdFolder(folder)).toThrow('another process uses the data folder');
    other.kill('SIGKILL');
    await once(other, 'exit');
    holdFolder(folder)();
  });
});
