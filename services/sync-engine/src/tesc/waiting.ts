import { EventEmitter } from 'node:events';

/** Wakes those who wait for messages of a channel. */
export class Waiting {
  readonly #events = new EventEmitter().setMaxListeners(0);

  /** A channel has a new message; undefined: any may have. */
  wake(id: string | undefined): void {
    if (id !== undefined) return void this.#events.emit(`channel ${id}`);
    for (const name of this.#events.eventNames()) this.#events.emit(name);
  }

  /** Calls at each new message until it is cancelled. */
  listen(id: string, listener: () => void): () => void {
    const name = `channel ${id}`;
    this.#events.on(name, listener);
    return () => void this.#events.off(name, listener);
  }

  /** How many wait or listen. */
  get size(): number {
    return this.#events.eventNames().reduce((sum, name) => sum + this.#events.listenerCount(name), 0);
  }
}

/**
 * Reads until something is there, a time has passed, or the reader has left. The listener stands before the first read, so a message
 * between reading and waiting is not missed.
 */
export async function readOrWait<T>(
  waiting: Waiting,
  id: string,
  read: () => Promise<T[]>,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<T[]> {
  let wake: () => void = () => undefined;
  const cancel = waiting.listen(id, () => wake());
  const timeout = AbortSignal.timeout(Math.max(1, waitMs));
  const end = AbortSignal.any([signal, timeout]);
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        end.addEventListener('abort', () => resolve(), { once: true });
      });
      const found = await read();
      if (found.length > 0 || waitMs === 0 || end.aborted) return found;
      await woken;
    }
  } finally {
    cancel();
  }
}
