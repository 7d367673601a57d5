import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../exit-codes.ts';

/** A JSON file that only its owner may read. @returns undefined when there is none. @throws UsageError when others can read it. */
export async function readPrivateJson(path: string): Promise<unknown> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0)
    throw new UsageError(`${path} can be read by others; run: chmod 600 '${path}'`);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is not JSON; mend it, or remove it and sign in again`);
  }
}

/** Replaces the file at once, so that a reader sees the old content or the new, and never with other rights than 0600. */
export async function writePrivateJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${path} cannot be read (${(err as NodeJS.ErrnoException).code})`);
  }
}
