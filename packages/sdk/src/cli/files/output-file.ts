import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { CommandError } from '../exit-codes.ts';

export interface OutputFileOptions {
  /** Replace a file that is there. */
  force: boolean;
}

/**
 * Writes a stream to a file that gets its name only when all of it is there: a file that broke off, or whose last part was forged, never
 * looks like a whole one. Mode 0600.
 *
 * @returns The bytes written.
 * @throws CommandError when the file is there already
 */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { force }: OutputFileOptions,
): Promise<number> {
  const draft = `${path}.${process.pid}.part`;
  const file = await open(draft, 'wx', 0o600);
  try {
    const bytes = await writeAll(file, content);
    await file.sync();
    await name(draft, path, force);
    return bytes;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

/** @returns The bytes written. */
export async function writeAll(
  file: FileHandle,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
    bytes += chunk.length;
  }
  return bytes;
}

/** `link` refuses a name that is taken, in one step; `rename` would replace it. */
async function name(draft: string, path: string, force: boolean): Promise<void> {
  if (force) return rename(draft, path);
  try {
    await link(draft, path);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
    throw new CommandError(`${path} is there already; --force replaces it`);
  }
}
