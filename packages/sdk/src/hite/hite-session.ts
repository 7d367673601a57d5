import type { HiteHandshakeAnswer } from '@zeq/contracts';
import {
  bytesOfHex,
  deriveHiteClientSession,
  HITE_NONCE_BYTES,
  type HiteClientSession,
  hexOf,
} from '@zeq/crypto/web';
import { errorOf } from '../client/problem.ts';
import type { Transport } from '../client/transport.ts';
import { ZeqError } from '../client/zeq-error.ts';

/** Renewed so long before its end that a request under way still arrives inside it. */
const RENEW_BEFORE_MS = 60_000;
const LONGEST_LIFE_MS = 3_600_000;
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** One less than the protocol allows; a session is renewed long before. */
const LAST_COUNTER = 2 ** 32 - 2;

/** Monotonic milliseconds: a clock that is set does not prolong a session. */
export type MonotonicClock = () => number;

/** A session and the next number in it. */
interface Open {
  session: HiteClientSession;
  counter: number;
  renewAt: number;
}

/** Keeps one session, and makes a new one in time. Calls that come together share a handshake. */
export class HiteSessions {
  readonly #secret: string;
  readonly #send: Transport;
  readonly #now: MonotonicClock;
  #open: Promise<Open> | undefined;

  constructor(secret: string, send: Transport, now: MonotonicClock) {
    this.#secret = secret;
    this.#send = send;
    this.#now = now;
  }

  /** A session and a counter that nobody else gets. A new session is used at least once, however short it lives. */
  async next(signal?: AbortSignal): Promise<{ session: HiteClientSession; counter: number }> {
    const held = this.#open;
    const open = held && (await orAborted(orNothing(held), signal));
    if (open !== undefined && this.#now() < open.renewAt && open.counter <= LAST_COUNTER) return take(open);
    this.#forget(held);
    this.#open ??= this.#handshake();
    const made = this.#open;
    made.catch(() => this.#forget(made)); // told to whoever waits for it; the next call tries again
    return take(await orAborted(made, signal));
  }

  /** The mesh does not know this session (any more): the next call makes another one. */
  async drop(session: HiteClientSession): Promise<void> {
    const held = this.#open;
    if (held && (await orNothing(held))?.session === session) this.#forget(held);
  }

  #forget(pending: Promise<Open> | undefined): void {
    if (this.#open === pending) this.#open = undefined;
  }

  /** Shared by all calls that wait for it, so none of their signals ends it. */
  async #handshake(): Promise<Open> {
    const clientNonce = crypto.getRandomValues(new Uint8Array(HITE_NONCE_BYTES));
    const response = await this.#send({
      method: 'POST',
      path: '/api/hite/handshake',
      headers: new Headers({ 'content-type': 'application/json' }),
      body: JSON.stringify({ clientNonce: hexOf(clientNonce) }),
      signal: AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS),
    });
    if (!response.ok) throw await errorOf(response);
    const answer = parseAnswer(await response.json());
    const serverNonce = bytesOfHex(answer.serverNonce);
    const { sessionId, expiresAt } = answer;
    const session = await deriveHiteClientSession(this.#secret, { sessionId, clientNonce, serverNonce });
    return { session, counter: 0, renewAt: this.#now() + useMs(expiresAt, response.headers) };
  }
}

function take(open: Open): { session: HiteClientSession; counter: number } {
  const { session } = open;
  return { session, counter: open.counter++ };
}

/** How long it is used. Measured between two times of the server where it says its own: the clock here may be wrong. */
function useMs(expiresAt: string, headers: Headers): number {
  const serverNow = Date.parse(headers.get('date') ?? '');
  const life = Date.parse(expiresAt) - (Number.isNaN(serverNow) ? Date.now() : serverNow);
  const bounded = Math.min(LONGEST_LIFE_MS, life);
  return bounded - Math.min(RENEW_BEFORE_MS, bounded / 10);
}

/** A handshake that failed has been told to whoever waited for it. */
const orNothing = (pending: Promise<Open>): Promise<Open | undefined> => pending.catch(() => undefined);

/** Waits, but not longer than the caller does. */
function orAborted<T>(waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal?.reason);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const stop = () => signal?.removeEventListener('abort', onAbort);
    waited.then(resolve, reject).finally(stop);
  });
}

function parseAnswer(value: unknown): HiteHandshakeAnswer {
  const { sessionId, serverNonce, expiresAt } = (value ?? {}) as Record<string, unknown>;
  const isRight =
    typeof sessionId === 'string' &&
    /^[0-9a-f]{32}$/.test(sessionId) &&
    typeof serverNonce === 'string' &&
    /^[0-9a-fA-F]{64}$/.test(serverNonce) &&
    typeof expiresAt === 'string' &&
    !Number.isNaN(Date.parse(expiresAt));
  if (isRight) return { sessionId, serverNonce, expiresAt };
  throw new ZeqError({ status: 200, code: 'answer_invalid', detail: 'The answer to the handshake is none.' });
}
