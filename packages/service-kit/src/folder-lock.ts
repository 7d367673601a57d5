import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Keeps a data folder to one process: two in PGlite's would destroy each other's files, two in a chain's would fork it. The lock is
 * SQLite's own on an empty database file: the operating system frees it when the process dies, however it dies, which a file
 * with a process id in it cannot promise, least of all where two containers share a volume and both are process 1.
 *
 * @param file The lock's own, in that folder.
 * @returns Frees the folder.
 * @throws Error with one clear line when another process holds it.
 */
export function holdFolder(folder: string, file = 'lock'): () => void {
  const path = join(folder, file);
  closeSync(openSync(path, 'a', 0o600)); // SQLite would let everybody read it
  const lock = new DatabaseSync(path);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (err) {
    lock.close();
    throw new Error(
      `another process uses the data folder ${folder}; stop it, or choose another ZEQ_DATA_DIR`,
      {
        cause: err,
      },
    );
  }
  return () => lock.close();
}
