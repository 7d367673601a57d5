import { isRetryable } from './errors.ts';

const TRIES = 3;

/** Runs a transaction again when it lost against another one; nothing of it was kept. */
export async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run();
    } catch (err) {
      if (tried >= TRIES || !isRetryable(err)) throw err;
    }
  }
}
