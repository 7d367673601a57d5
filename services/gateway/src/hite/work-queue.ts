import { ProblemError } from '@zeq/service-kit';

/** Work that waits behind what runs. */
const MAX_WAITING = 64;

/**
 * Runs one piece of work at a time. Deriving the keys of a session keeps a thread busy for about 20 ms; more of them at once would
 * take the processor from everybody else's calls.
 */
export class WorkQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Work that waits or runs. */
  get size(): number {
    return this.#waiting;
  }

  /** @throws ProblemError `overloaded` when too much waits; whatever the work throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING)
      throw new ProblemError('overloaded', 'Too many HITE handshakes at once.');
    this.#waiting += 1;
    const mine = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = mine.catch(() => undefined); // its own caller hears of it; the next one runs all the same
    return mine;
  }
}
