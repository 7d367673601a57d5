import { Histogram, type Registry } from 'prom-client';

/** One hour of ticks. */
const KEPT = 4_634;

export interface LatenessFigures {
  p50: number;
  p99: number;
  max: number;
  samples: number;
}

/** How long after its border each tick was on its way, in milliseconds: a histogram for the metrics, and the last hour for the status. */
export class Lateness {
  readonly #kept: number[] = [];
  readonly #histogram: Histogram;
  #next = 0;

  constructor(metrics: Registry) {
    this.#histogram = new Histogram({
      name: 'zeq_tick_lateness_seconds',
      help: 'From the border of a Zeqond until its tick was stored and handed to the first subscriber',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.777],
      registers: [metrics],
    });
  }

  record(ms: number): void {
    this.#histogram.observe(ms / 1000);
    this.#kept[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
  }

  figures(): LatenessFigures {
    const sorted = [...this.#kept].sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
    return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, samples: sorted.length };
  }
}
