import { setTimeout as sleep } from 'node:timers/promises';
import type { AttestedTick } from '@zeq/crypto';

const AGAIN_MS = 200;

/** A reader of the clock's event stream that comes back after every loss, as a browser does. */
export class TickReader {
  readonly shown: AttestedTick[] = [];
  readonly #url: string;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(gateway: string) {
    this.#url = `${gateway}/sync/ticks`;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#read();
      } catch {
        // lost, refused, or nobody there: a reader comes back either way
      }
      await sleep(AGAIN_MS);
    }
  }

  async #read(): Promise<void> {
    const answer = await fetch(this.#url, { signal: this.#stopped.signal });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of answer.body!) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines.filter((one) => one.startsWith('data: '))) this.#hear(line.slice(6));
    }
  }

  #hear(text: string): void {
    const tick = JSON.parse(text) as AttestedTick;
    if (tick.type === 'tick' && tick.tesc !== undefined) this.shown.push(tick);
  }
}
