import { setTimeout as sleep } from 'node:timers/promises';
import { ZEQOND_MS } from '@zeq/crypto';
import { type Logger, safeError } from '@zeq/service-kit';

/** An engine that says nothing for this long is taken to be away. */
const SILENT_MS = 4 * ZEQOND_MS;
const LONGEST_PAUSE_MS = 2_000;
const MAX_LINE = 64 * 1024;

export interface EngineStreamOptions {
  url: string;
  log: Logger;
  onOpen: () => void;
  /** A message that is JSON; what it says is for the receiver to judge. */
  onMessage: (message: unknown) => void;
}

/** Listens to one engine's `/sync/ticks` and comes back whenever the stream ends, with jittered pauses. */
export class EngineStream {
  readonly #options: EngineStreamOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #connected = false;
  #lastAt: number | null = null;

  constructor(options: EngineStreamOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Unix milliseconds of the last message. */
  get lastAt(): number | null {
    return this.#lastAt;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; failures += 1) {
      try {
        await this.#listen(() => {
          failures = 0;
        });
      } catch (err) {
        if (failures === 0 && !this.#stopped.signal.aborted)
          this.#options.log.warn({ err: safeError(err), engine: this.#options.url }, 'an engine is away');
      }
      this.#connected = false;
      const longest = Math.min(LONGEST_PAUSE_MS, ZEQOND_MS * 2 ** Math.min(failures, 10));
      await this.#pause(longest * (0.5 + Math.random() / 2));
    }
  }

  /** @param onFirst Called with the first message of a stream. */
  async #listen(onFirst: () => void): Promise<void> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error('silent')), SILENT_MS);
    const signal = AbortSignal.any([this.#stopped.signal, silence.signal]);
    try {
      const answer = await fetch(`${this.#options.url}/sync/ticks`, {
        signal,
        headers: { accept: 'text/event-stream' },
      });
      if (!answer.ok || answer.body === null) throw new Error(`/sync/ticks answered ${answer.status}`);
      this.#connected = true;
      this.#options.onOpen();
      for await (const message of messagesOf(answer.body)) {
        timer.refresh();
        this.#lastAt = Date.now();
        onFirst();
        this.#options.onMessage(message);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch((err: unknown) => {
      if (!this.#stopped.signal.aborted) throw err;
    });
  }
}

/** The `data` of server-sent events, each one line of JSON here. @throws Error for a line without end, SyntaxError for no JSON. */
async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) throw new Error('a line without end');
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6));
  }
}
