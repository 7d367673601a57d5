import { setTimeout as sleep } from 'node:timers/promises';
import type { Postgres } from './postgres.ts';

const LOOK_EVERY_MS = 50;
const LONGEST_WAIT =
  'SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0) * 1000 AS ms FROM pg_locks WHERE NOT granted';

/** Looks, again and again, how long anybody has waited for a lock in the database by now. */
export class LockWatch {
  longestMs = 0;
  readonly #server: Postgres;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(server: Postgres) {
    this.#server = server;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        const [row] = await this.#server.run(LONGEST_WAIT);
        this.longestMs = Math.max(this.longestMs, Number(row!.ms));
      } catch {
        // the server is away just now: nobody waits in it
      }
      await sleep(LOOK_EVERY_MS);
    }
  }
}
