import { ZeqError } from './zeq-error.ts';

/** A limit in time beside the caller's own signal. Whoever made it calls `done` when the limit no longer counts. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #expired = false;

  /** @param timeoutMs 0: no limit. */
  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#outer = outer;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.#expire(), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#outer ? AbortSignal.any([this.#outer, this.#controller.signal]) : this.#controller.signal;
  }

  done(): void {
    clearTimeout(this.#timer);
  }

  /** What a failure means: the caller's own reason, a limit that was reached, or the network. */
  explain(err: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (err instanceof ZeqError) return err;
    if (!this.#expired) return networkError(err);
    return new ZeqError({ status: 0, code: 'timed_out', detail: `No answer within ${this.#timeoutMs} ms.` });
  }

  #expire(): void {
    this.#expired = true;
    this.#controller.abort();
  }
}

/** Only the error's code is told: texts of the runtime may repeat a header. */
export function networkError(err: unknown): unknown {
  if (!isFetchFailure(err)) return err;
  const { cause } = err as { cause?: { code?: unknown } };
  const why = typeof cause?.code === 'string' ? ` (${cause.code})` : '';
  return new ZeqError({ status: 0, code: 'network_failed', detail: `The mesh cannot be reached${why}.` });
}

/** `fetch` fails with a TypeError. By name: a test's or a frame's realm has one of its own. */
export const isFetchFailure = (err: unknown): boolean =>
  (err as { name?: unknown } | null)?.name === 'TypeError';
