import { EventEmitter, once } from 'node:events';

/**
 * Lets a test decide when a stream goes on: the upstream waits for the gate before each event, the test opens it one event
 * at a time. That shows that nothing on the way held an event back, without looking at a clock.
 */
export class Gate {
  readonly #events = new EventEmitter();
  #permits = 0;

  /** Lets `count` more waits pass. */
  release(count = 1): void {
    this.#permits += count;
    this.#events.emit('release');
  }

  /** Takes back what was released and not used. */
  close(): void {
    this.#permits = 0;
  }

  /** Waits for a permit. False when the signal fired first: the caller has left. */
  async pass(signal: AbortSignal): Promise<boolean> {
    while (this.#permits === 0 && !signal.aborted) await this.#nextRelease(signal);
    if (signal.aborted) return false;
    this.#permits -= 1;
    return true;
  }

  async #nextRelease(signal: AbortSignal): Promise<void> {
    try {
      await once(this.#events, 'release', { signal });
    } catch (err) {
      if (!signal.aborted) throw err;
    }
  }
}
