import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '@zeq/service-kit';
import { RateWindow } from '../limits/rate-window.ts';

/** Questions about tokens not yet known that one address may have open at the vault. */
const MAX_ASKING = 4;
/** And that may wait behind them. */
const MAX_WAITING = 256;
/** How long an address that guesses waits for each further no (ms). */
const SLOWED_MS = 500;
/** Answers held back at once, over all addresses. */
const MAX_HELD = 512;

interface Lane {
  asking: number;
  waiting: (() => void)[];
}

/**
 * Slows down an address that guesses. Only wrong tokens count and only wrong ones are answered late or with 429: a right
 * token from the same address is known already, or is asked for in the same lane, and goes on.
 */
export class WrongTokens {
  readonly #guesses: RateWindow;
  readonly #lanes = new Map<string, Lane>();
  #held = 0;

  /** @param perMinute Wrong tokens of one address before it is slowed. */
  constructor(perMinute: number, now?: () => number) {
    this.#guesses = new RateWindow(perMinute, now);
  }

  /** Runs a question about an unknown token in its address's lane. @throws ProblemError `overloaded` when the lane is full. */
  async ask<T>(address: string, question: () => Promise<T>): Promise<T> {
    const lane = this.#laneOf(address);
    if (lane.asking >= MAX_ASKING) await wait(lane);
    else lane.asking += 1;
    try {
      return await question();
    } finally {
      this.#leave(address, lane);
    }
  }

  /** Notes a wrong token. @throws ProblemError `rate_limited`, late, once there were too many. */
  async note(address: string): Promise<void> {
    if (this.#guesses.hit(address)) return;
    if (this.#held < MAX_HELD) await this.#hold();
    throw new ProblemError('rate_limited', 'Too many wrong credentials came from this address.', {
      retryAfter: this.#guesses.secondsToNext(address),
    });
  }

  async #hold(): Promise<void> {
    this.#held += 1;
    await sleep(SLOWED_MS);
    this.#held -= 1;
  }

  #laneOf(address: string): Lane {
    let lane = this.#lanes.get(address);
    if (lane === undefined) {
      lane = { asking: 0, waiting: [] };
      this.#lanes.set(address, lane);
    }
    return lane;
  }

  /** Hands the place to the next in line; an empty lane is closed. */
  #leave(address: string, lane: Lane): void {
    const next = lane.waiting.shift();
    if (next === undefined) lane.asking -= 1;
    else next();
    if (lane.asking === 0) this.#lanes.delete(address);
  }
}

function wait(lane: Lane): Promise<void> {
  if (lane.waiting.length >= MAX_WAITING)
    throw new ProblemError('overloaded', 'Too many new tokens from this address at once.');
  return new Promise((resolve) => lane.waiting.push(resolve));
}
