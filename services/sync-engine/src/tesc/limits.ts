import { ProblemError, type TimeSource } from '@zeq/service-kit';

const MINUTE_MS = 60_000;
const SENDS_PER_MINUTE = 600;
/** Each wrong or right attempt costs a derivation of 20 ms. */
const JOINS_PER_MINUTE = 20;
const MAX_MACHINES = 10_000;

/** How often a machine may send and join, by monotonic time. Per process: several engines admit as many times as much. */
export class TescLimits {
  readonly #time: TimeSource;
  readonly #counts = new Map<string, { from: number; count: number }>();

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /** @throws ProblemError `rate_limited`. */
  send(machineId: string): void {
    this.#hit(`send ${machineId}`, SENDS_PER_MINUTE);
  }

  /** @throws ProblemError `rate_limited`. */
  join(machineId: string): void {
    this.#hit(`join ${machineId}`, JOINS_PER_MINUTE);
  }

  #hit(name: string, most: number): void {
    const now = this.#time.monotonicMs();
    const held = this.#counts.get(name);
    const current = held && now - held.from < MINUTE_MS ? held : { from: now, count: 0 };
    if (current.count >= most) {
      const retryAfter = (current.from + MINUTE_MS - now) / 1000;
      throw new ProblemError('rate_limited', `At most ${most} of these a minute.`, { retryAfter });
    }
    current.count += 1;
    if (this.#counts.size >= MAX_MACHINES) this.#counts.clear();
    this.#counts.set(name, current);
  }
}
