import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One step of a raw conversation, as the case list writes it. */
export type Part =
  | { text: string; times?: number }
  | { pause_ms: number }
  | { drip: { text: string; every_ms: number; times: number } }
  | { half_close: true }
  | { reset: true }
  | { wait_for: string; timeout_ms: number }
  | { read_rate_bps: number; seconds: number };

export interface Outcome {
  /** Status of the first final answer; `close` for none on a closed connection, `timeout` for none on an open one. */
  status: string;
  /** Statuses of all answers, interim ones included. */
  statuses: number[];
  closed: boolean;
  text: string;
}

export interface PlayOptions {
  /** Waits for the connection's end, where it has to end. */
  untilClosed: boolean;
  /** Longest wait after the last part (ms). */
  patienceMs: number;
}

/** Time for something that must not come to come all the same (ms). */
const SETTLE_MS = 15;

/** Speaks a raw conversation to a port; one code unit of text is one byte. */
export async function play(port: number, parts: readonly Part[], options: PlayOptions): Promise<Outcome> {
  const line = new Line(port);
  for (const part of parts) {
    if (line.closed) break;
    await line.take(part);
  }
  await line.wait(options);
  line.hangUp();
  return line.outcome();
}

class Line {
  readonly #socket: Socket;
  #received = '';
  closed = false;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    const end = () => {
      this.closed = true;
    };
    this.#socket.on('end', end).on('close', end).on('error', end);
  }

  async take(part: Part): Promise<void> {
    if ('text' in part) this.#socket.write(part.text.repeat(part.times ?? 1), 'latin1');
    else if ('pause_ms' in part) await this.#until(part.pause_ms, () => this.closed);
    else if ('drip' in part) await this.#drip(part.drip);
    else if ('half_close' in part) this.#socket.end();
    else if ('reset' in part) this.#socket.resetAndDestroy();
    else if ('wait_for' in part)
      await this.#until(part.timeout_ms, () => this.#received.includes(part.wait_for));
    else await this.#readSlowly(part);
  }

  async wait({ untilClosed, patienceMs }: PlayOptions): Promise<void> {
    const done = () => this.closed || (!untilClosed && finalStatus(this.#received) !== undefined);
    await this.#until(patienceMs, done);
    if (!this.closed) await sleep(SETTLE_MS);
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  outcome(): Outcome {
    const status = finalStatus(this.#received) ?? (this.closed ? 'close' : 'timeout');
    return { status, statuses: statusesOf(this.#received), closed: this.closed, text: this.#received };
  }

  async #drip({ text, every_ms, times }: { text: string; every_ms: number; times: number }): Promise<void> {
    for (let i = 0; i < times && !this.closed; i += 1) {
      this.#socket.write(text, 'latin1');
      await this.#until(every_ms, () => this.closed);
    }
  }

  /** Takes a few bytes, and then none: the other side's buffers fill. */
  async #readSlowly({ seconds }: { seconds: number }): Promise<void> {
    this.#socket.pause();
    await this.#until((seconds + 15) * 1000, () => this.closed || this.#socket.destroyed);
    this.#socket.resume();
  }

  async #until(ms: number, condition: () => boolean): Promise<void> {
    const end = Date.now() + ms;
    while (!condition() && Date.now() < end) await sleep(Math.min(5, Math.max(0, end - Date.now())));
  }
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/(?:^|\n|\})HTTP\/1\.[01] ([0-9]{3})/g)].map((match) => Number(match[1]));

const finalStatus = (text: string): string | undefined =>
  statusesOf(text)
    .find((status) => status >= 200)
    ?.toString();
