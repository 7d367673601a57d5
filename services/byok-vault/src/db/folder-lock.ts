import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Keeps a data folder to one process. PGlite itself would let two in, and they would destroy each other's files. The lock is
 * SQLite's own on an empty database file: the operating system frees it when the process dies, however it dies, which a file
 * with a process id in it cannot promise.
 *
 * @returns Frees the folder.
 * @throws Error with one clear line when another process holds it.
 */
export function holdFolder(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, 'lock'));
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
