import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'lock';

/**
 * Keeps a second process out of a folder. The lock is a file with a process id: one left behind by a process that is gone (or that had
 * our own id, as in a container that starts anew) is taken over.
 *
 * @returns Unlocks.
 * @throws Error naming the process that holds it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, FILE);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (await create(path)) return () => unlink(path);
    const holder = Number(await readIfThere(path));
    if (holder !== process.pid && isAlive(holder)) {
      throw new Error(`the folder ${folder} is in use by process ${holder}`);
    }
    await unlink(path).catch(ignoreMissing);
  }
  throw new Error(`the folder ${folder} cannot be locked: somebody else keeps taking it`);
}

async function create(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw err;
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    ignoreMissing(err as Error);
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ignoreMissing(err: Error): void {
  if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err;
}
