import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { SlotList, type Slotted } from '@zeq/service-kit';

/** A body up to this long is collected, so that head and body leave in one write (bytes). */
export const COLLECT_BYTES = 64 * 1024;
/** How long it may take to come (ms). */
const DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 2_000;

const EMPTY = Buffer.alloc(0);

export interface Collect {
  req: IncomingMessage;
  /** The body is whole. */
  whole: (body: Buffer) => void;
  /** It took too long. */
  late: () => void;
}

interface Pending extends Slotted {
  late: () => void;
  since: number;
}

/**
 * Collects small bodies. A client that leaves before the end hands over nothing; one that is too slow is told so. One timer
 * looks after all of them: a timer for each would cost more than the collecting.
 */
export class BodyCollector {
  readonly #pending = new SlotList<Pending>();
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  collect({ req, whole, late }: Collect): void {
    const pending: Pending = { slot: -1, late, since: this.#now() };
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    this.#pending.add(pending);
    req.on('data', (chunk: Buffer) => {
      if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    });
    req.on('close', () => this.#pending.remove(pending));
    req.on('end', () => {
      if (pending.slot < 0) return; // it was late
      this.#pending.remove(pending);
      whole(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest));
    });
  }

  /** Ends what is late. */
  look(): void {
    const now = this.#now();
    for (const pending of this.#pending.all()) {
      if (now - pending.since < DEADLINE_MS) continue;
      this.#pending.remove(pending);
      pending.late();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
