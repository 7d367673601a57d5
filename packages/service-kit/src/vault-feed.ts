import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Change, ChangeLine, SERVICE_TOKEN_HEADER, STALE_AFTER_MS } from '@zeq/contracts';
import { Agent, request } from 'undici';
import { type Logger, safeError } from './logger.ts';

/**
 * The vault speaks every 500 ms, later when its database is slow. After this much silence (ms) the stream counts as dead, even if
 * TCP has noticed nothing; soon after, nothing that was cached could be used anyway.
 */
const SILENCE_MS = 4_500;
const CONNECT_MS = 2_500;
/** A gap in our own event loop (ms) after which heartbeats that lie in the socket's buffer prove nothing. */
const STALL_MS = 2_000;
const WATCH_EVERY_MS = 250;
const FIRST_BACKOFF_MS = 100;
/** Much shorter than the five seconds for which caches are believed: a vault that is up only now and then has to be met. */
const LONGEST_BACKOFF_MS = 500;
/** Lines are some 200 bytes; a longer one than this is not our vault. */
const MAX_LINE_CHARS = 65_536;

export interface VaultFeedOptions {
  /** Base address of the vault. */
  url: string;
  /** Signs a service token for `byok-vault`; called for each connection. */
  token: () => string;
  log: Logger;
  /** Monotonic milliseconds; a test passes its own. */
  now?: () => number;
  /** A test does not wait as long. */
  silenceMs?: number;
}

/**
 * Follows the vault's change feed, so that what is cached elsewhere ends within a second of its change.
 *
 * - `change`: one thing is no longer as it was: drop what was cached of it.
 * - `reset`: changes may have been missed: drop everything.
 *
 * A cached value may be used while `isFresh()`, and otherwise until `STALE_AFTER_MS` after it was last known to be true,
 * which is the later of its fetching and `lastHeardAt`. A fetch during which `generation` moved may have read the state
 * before the change: its value is not to be cached.
 */
export class VaultFeed extends EventEmitter<{ change: [Change]; reset: [] }> {
  readonly #options: VaultFeedOptions;
  readonly #now: () => number;
  readonly #agent = new Agent({ connections: 1, connect: { timeout: CONNECT_MS } });
  #epoch: string | undefined;
  #seq = 0;
  /** The vault's head when this stream began; until we have read up to it, we know of changes that we have not seen. */
  #head: number | undefined;
  #lastHeardAt = Number.NEGATIVE_INFINITY;
  #generation = 0;
  #lastTickAt: number;
  #failures = 0;
  readonly #stopped = new AbortController();
  #stream: AbortController | undefined;
  #watch: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: VaultFeedOptions) {
    super();
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lastTickAt = this.#now();
  }

  /** When the caches were last known to miss nothing: monotonic ms, `-Infinity` before the first time. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Moves with every change and every reset. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether the stream stands, has caught up, and was heard within `STALE_AFTER_MS`. */
  isFresh(now: number = this.#now()): boolean {
    return (
      this.#caughtUp() && now - this.#lastHeardAt <= STALE_AFTER_MS && now - this.#lastTickAt <= STALL_MS
    );
  }

  /** Connects, and connects again after every loss, until `stop`. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#lastTickAt = this.#now();
    this.#watch = setInterval(() => this.#noticeStall(), WATCH_EVERY_MS).unref();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    this.#stopped.abort();
    this.#stream?.abort();
    await this.#running;
    await this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#stream = new AbortController();
      try {
        await this.#follow(this.#stream.signal);
      } catch (err) {
        this.#noteLoss(err);
      }
      this.#head = undefined;
      await this.#pause();
    }
  }

  /** Reads one stream to its end; it ends only by failing or by being aborted. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { url, token, silenceMs = SILENCE_MS } = this.#options;
    const { statusCode, body } = await request(`${url}/internal/changes`, {
      query: this.#epoch === undefined ? {} : { since: this.#seq, epoch: this.#epoch },
      headers: { [SERVICE_TOKEN_HEADER]: token() },
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      dispatcher: this.#agent,
      signal,
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`the vault answered ${statusCode} to the feed`);
    }
    let rest = '';
    for await (const chunk of body.setEncoding('utf8')) {
      this.#noticeStall();
      if (signal.aborted) return;
      rest = this.#readLines(rest + chunk);
    }
    throw new Error('the vault ended the feed');
  }

  #readLines(text: string): string {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) throw new Error('a line of the feed is too long');
    for (const line of lines) this.#hear(ChangeLine.parse(JSON.parse(line)));
    return rest;
  }

  #hear(line: ChangeLine): void {
    if (line.type === 'hello') this.#greet(line);
    else if (this.#head === undefined) throw new Error('the feed began without a hello');
    else if (line.type === 'change') this.#pass(line);
    if (this.#caughtUp()) this.#lastHeardAt = this.#now();
  }

  #greet({ epoch, seq, complete }: Extract<ChangeLine, { type: 'hello' }>): void {
    const resumed = complete && epoch === this.#epoch && seq >= this.#seq;
    this.#epoch = epoch;
    this.#head = seq;
    if (this.#failures > 0) this.#options.log.info({ resumed }, 'the change feed is back');
    this.#failures = 0;
    if (resumed) return;
    this.#seq = seq;
    this.#reset();
  }

  #pass(change: Change): void {
    if (change.seq <= this.#seq) return;
    this.#generation += 1;
    this.emit('change', change);
    this.#seq = change.seq; // after the listeners: if one throws, the change comes again
  }

  #reset(): void {
    this.#generation += 1;
    this.emit('reset');
  }

  #caughtUp(): boolean {
    return this.#head !== undefined && this.#seq >= this.#head;
  }

  /** After a freeze (SIGSTOP, a long pause) what the buffers hold is old news: the stream is given up and nothing believed. */
  #noticeStall(): void {
    const now = this.#now();
    const gap = now - this.#lastTickAt;
    this.#lastTickAt = now;
    if (gap <= STALL_MS) return;
    this.#options.log.warn(
      { gap_ms: Math.round(gap) },
      'this process stood still; the change feed begins anew',
    );
    this.#head = undefined;
    this.#stream?.abort();
    this.#reset();
  }

  #noteLoss(err: unknown): void {
    if (this.#stopped.signal.aborted) return;
    this.#failures += 1;
    const level = this.#failures === 1 ? 'warn' : 'debug';
    this.#options.log[level]({ err: safeError(err) }, 'the change feed is lost');
  }

  /** Doubles from 100 ms to 500 ms; half of it is chance, so that many readers do not come back at once. */
  async #pause(): Promise<void> {
    const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(0, this.#failures - 1));
    const pause = sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stopped.signal });
    await pause.catch((err: unknown) => {
      if (!this.#stopped.signal.aborted) throw err;
    });
  }
}
