import { Readable } from 'node:stream';
import { wipe } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { type Dispatcher, errors } from 'undici';
import type { Allowed } from '../decision/decide.ts';
import type { Passage } from '../decision/passage.ts';
import { withCredentialParameter } from '../request/query.ts';
import { DialError } from './dial.ts';
import type { Pools, UpstreamPool } from './pools.ts';
import { isBroken, toUpstreamProblem } from './upstream-problem.ts';

export interface ExchangeRequest {
  /** Raw pairs without the credential; it stands behind them while the request is handed over, and no longer. */
  headers: string[];
  body: Buffer | Readable | null;
  upgrade?: 'websocket';
}

/** Addresses that are tried for one call. */
const MAX_DIALS = 3;
/** RFC 9110 section 9.2.1, as far as they are forwarded. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * One request to an upstream and its answer. A subclass says what becomes of the answer. The next address is tried only when
 * no connection came to be, and only what is safe is sent again on a connection that had gone stale: no effect happens twice.
 */
export abstract class Exchange implements Dispatcher.DispatchHandler {
  protected readonly passage: Passage;
  /** Monotonic ms of the dispatch. */
  protected sentAt = 0;
  /** Requests that were written to a connection: one, or none, or two where the first connection had gone stale. */
  sent = 0;
  readonly #pools: Pools;
  #request: ExchangeRequest | undefined;
  #pool: UpstreamPool | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled: Error | undefined;
  /** Addresses tried. */
  #dials = 0;
  /** Connections that the pool had dialled when the request was handed over. */
  #dialsBefore = 0;
  /** Runs while the upstream owes something: the head of its answer, then the next piece of its body. */
  #silence: NodeJS.Timeout | undefined;
  #awaitsHead = false;
  #heard = false;
  #wentAgain = false;

  constructor(passage: Passage, pools: Pools) {
    this.passage = passage;
    this.#pools = pools;
  }

  /** The answer cannot come, or cannot go on. Called once. */
  protected abstract failed(err: unknown): void;

  send(request: ExchangeRequest): void {
    this.#request = request;
    this.#dispatch(performance.now());
  }

  /** Ends the exchange from our side: the upstream's connection is closed. */
  cancel(reason: Error): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    this.#controller?.abort(reason);
  }

  /** A valid head of an answer has come. */
  protected began(): void {
    this.#stopWaiting();
    this.passage.answering();
  }

  /** The answer has come to its own end. */
  protected settle(): void {
    this.#leavePool();
    this.passage.succeeded();
  }

  #leavePool(): void {
    this.#stopWaiting();
    if (this.#pool === undefined) return;
    this.#pool.calls -= 1;
    this.#pool.usedAt = performance.now();
    this.#pool = undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled !== undefined) controller.abort(this.#cancelled);
    else {
      this.sent += 1;
      this.#awaitHead(controller);
    }
  }

  /**
   * undici's clock is not enough for a stated second: it counts turns of half a second, whatever they took, so that thirty
   * seconds become thirty-two in a busy process; and all that is due in a turn ends in the same moment. So its timers are off.
   */
  #awaitHead(controller: Dispatcher.DispatchController): void {
    const { body } = this.#request!;
    const start = () => {
      if (!this.#awaitsHead) return;
      const giveUp = () => controller.abort(new errors.HeadersTimeoutError());
      this.#silence = setTimeout(giveUp, this.passage.decision.limits.first_byte_timeout_ms);
    };
    this.#awaitsHead = true;
    if (body instanceof Readable && !body.readableEnded) body.once('end', start);
    else start();
  }

  /** From a valid head on. A caller who does not read is not the upstream's silence. */
  protected awaitBody(controller: Dispatcher.DispatchController): void {
    const giveUp = () => {
      if (controller.paused) this.heard();
      else controller.abort(new errors.BodyTimeoutError());
    };
    this.#silence = setTimeout(giveUp, this.passage.decision.limits.idle_timeout_ms);
  }

  /** A piece of the body has come, or may come again. */
  protected heard(): void {
    this.#silence?.refresh();
  }

  #stopWaiting(): void {
    this.#awaitsHead = false;
    clearTimeout(this.#silence);
    this.#silence = undefined; // one that was cleared would begin anew
  }

  /** At the first byte of an answer. */
  onResponseStarted(): void {
    this.#heard = true;
  }

  onResponseError(_controller: Dispatcher.DispatchController, err: Error): void {
    const pool = this.#pool;
    this.#leavePool();
    if (this.#cancelled !== undefined) this.failed(this.#cancelled);
    else if (this.#mayDialNext(err) || this.#mayGoAgain(err, pool)) this.#dispatch(performance.now());
    else this.#end(toUpstreamProblem(err));
  }

  #end(problem: unknown): void {
    this.passage.failed(problem);
    this.failed(problem);
  }

  #mayDialNext(err: Error): boolean {
    const left = Math.min(MAX_DIALS, this.passage.addresses.length) - this.#dials;
    return left > 0 && err instanceof DialError && err.code === 'connect_failed';
  }

  /**
   * An upstream may close a connection that lay idle at the very moment it is used again. A safe request without a body is
   * sent once more then (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1): not one byte of an answer had come, and the
   * connection stood before the call, because none was dialled since. undici itself never sends anything twice.
   */
  #mayGoAgain(err: Error, pool: UpstreamPool | undefined): boolean {
    const { body, upgrade } = this.#request!;
    const isSafe = SAFE_METHODS.has(this.passage.decision.method) && body === null && upgrade === undefined;
    if (!isSafe || this.#wentAgain || this.#heard || !isBroken(err)) return false;
    this.#wentAgain = pool !== undefined && pool.dials === this.#dialsBefore;
    if (this.#wentAgain) this.#dials -= 1; // the same address
    return this.#wentAgain;
  }

  #dispatch(now: number): void {
    const { decision } = this.passage;
    const { headers, body, upgrade } = this.#request!;
    this.#pool = this.#nextPool(now);
    this.#pool.calls += 1;
    this.#dials += 1;
    this.#dialsBefore = this.#pool.dials;
    this.sentAt = now;
    const length = headers.length;
    const path = attachCredential(decision, headers);
    this.#pool.pool.dispatch(
      {
        method: decision.method,
        path,
        headers,
        body,
        headersTimeout: body instanceof Readable ? decision.limits.first_byte_timeout_ms : 0, // of an upload that is stuck
        bodyTimeout: 0,
        upgrade: upgrade ?? null,
      },
      this,
    );
    headers.length = length; // undici has copied them
  }

  /** The address used last, as long as it is among the checked ones: a new one would mean a new connection. */
  #nextPool(now: number): UpstreamPool {
    const { decision, addresses } = this.passage;
    const { api, url, limits } = decision;
    const { route } = api;
    if (this.#dials === 0 && route?.addresses === addresses && !route.pool.pool.closed) return route.pool;
    const start = Math.max(0, addresses.indexOf(route?.pool.address ?? ''));
    const pool = this.#pools.take(
      {
        machineId: api.lease.machine_id,
        url,
        address: addresses[(start + this.#dials) % addresses.length]!,
        connectTimeoutMs: limits.connect_timeout_ms,
      },
      now,
    );
    api.route = { addresses, pool };
    return pool;
  }
}

/**
 * The credential lives in clear text from here until undici has written the request's head. It is the last header: nothing
 * that the caller sent comes after it.
 *
 * @returns The path, with the credential in its query where that is its place.
 * @throws LeaseError if the sealed bytes were changed.
 */
function attachCredential({ api, path, inject }: Allowed, headers: string[]): string {
  if (inject === undefined || api.credential === undefined) return path;
  const bytes = api.credential.open();
  // a header's bytes travel as they are, a parameter's as the text that they are (RFC 3986 section 2.5)
  const value = bytes.toString(inject.kind === 'query' ? 'utf8' : 'latin1');
  wipe(bytes);
  if (inject.kind === 'query') return withCredentialParameter(path, inject.name, value);
  headers.push(inject.name, value);
  return path;
}

/** What a call ends with when its caller has left. */
export const callerGone = (): ProblemError => new ProblemError('bad_request', 'The caller left.');
