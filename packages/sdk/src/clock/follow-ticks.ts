import type { ChainPage, ChainQuery, Hold, Tick } from '@zeq/contracts';
import { type TickFault, TickFollower, ZEQOND_MS } from '@zeq/crypto/web';
import type { CallOptions, Core } from '../client/core.ts';
import { networkError } from '../client/deadline.ts';
import { errorOf } from '../client/problem.ts';
import { ZeqError } from '../client/zeq-error.ts';
import { eventsOf } from './event-stream.ts';

export interface FollowOptions {
  /** Ed25519, 64 hex digits. Without it the first tick's key is believed, and kept while this runs. */
  publicKey?: string | undefined;
  uid?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Comes back when a stream ends. Default: true. */
  reconnect?: boolean | undefined;
}

/** A tick and what is wrong with it; `undefined`: it is signed and follows from the one before. */
export type FollowedTick = { tick: Tick; fault: TickFault | undefined } | { hold: Hold };

const SILENT_MS = 8 * ZEQOND_MS;
const LONGEST_PAUSE_MS = 10_000;
/** Ticks that were missed are fetched and verified, up to so many; a longer gap is said (`missing`) and skipped. */
const MAX_FETCHED = 5_000;
const PAGE = 1_000;

type AskChain = (query: Partial<ChainQuery>, options?: CallOptions) => Promise<ChainPage>;

/**
 * Follows the ticks of a mesh and verifies each with WebCrypto: signature, link, order, stated gaps. Ticks that were missed while the
 * stream was away are fetched from the stored chain and verified as well, so that no tick is believed whose past was not seen.
 *
 * @throws ZeqError when the stream cannot be had at first, or at all with `reconnect: false`.
 */
export async function* followTicks(
  core: Core,
  askChain: AskChain,
  { publicKey, uid, signal, reconnect = true }: FollowOptions,
): AsyncGenerator<FollowedTick, void, undefined> {
  const follower = new TickFollower({ publicKey, uid });
  for (let failures = 0; !signal?.aborted; failures += 1) {
    try {
      for await (const message of messagesOf(core, signal)) {
        failures = 0;
        if (message.type === 'hold') yield { hold: message };
        else yield { tick: message, fault: await judge(follower, message, askChain, signal) };
      }
    } catch (err) {
      if (signal?.aborted) return;
      if (!reconnect || follower.head === undefined) throw networkError(err);
    }
    if (!reconnect) return;
    await pause(Math.min(LONGEST_PAUSE_MS, ZEQOND_MS * 2 ** failures) * (0.5 + Math.random() / 2), signal);
  }
}

async function judge(
  follower: TickFollower,
  tick: Tick,
  askChain: AskChain,
  signal: AbortSignal | undefined,
): Promise<TickFault | undefined> {
  const fault = await follower.accept(tick);
  if (fault !== 'missing') return fault;
  const from = follower.head!.tesc.depth + 1;
  const to = tick.tesc!.depth - 1;
  if (to - from >= MAX_FETCHED) {
    await follower.skipTo(tick);
    return 'missing';
  }
  return (await catchUp(follower, askChain, { from, to }, signal)) ?? (await follower.accept(tick));
}

/** @returns The first fault among the ticks that were missed. */
async function catchUp(
  follower: TickFollower,
  askChain: AskChain,
  { from, to }: { from: number; to: number },
  signal: AbortSignal | undefined,
): Promise<TickFault | undefined> {
  for (let next = from; next <= to; ) {
    const { ticks } = await askChain({ from: next, to, limit: Math.min(PAGE, to - next + 1) }, { signal });
    if (ticks.length === 0) return 'missing';
    for (const tick of ticks) {
      const fault = await follower.accept(tick);
      if (fault !== undefined) return fault;
    }
    next += ticks.length;
  }
  return undefined;
}

/** One stream of ticks, cut off when it is silent for longer than ticks may be. */
async function* messagesOf(
  core: Core,
  signal: AbortSignal | undefined,
): AsyncGenerator<Tick | Hold, void, undefined> {
  const silence = new AbortController();
  const watch = () => setTimeout(() => silence.abort(silentError()), SILENT_MS);
  let timer = watch();
  try {
    const both = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    const headers = { accept: 'text/event-stream' };
    const response = await core.send('GET', '/sync/ticks', { as: 'nobody', signal: both, headers });
    if (!response.ok || response.body === null) throw await errorOf(response);
    for await (const { data } of eventsOf(response.body)) {
      clearTimeout(timer);
      timer = watch();
      yield JSON.parse(data) as Tick | Hold;
    }
  } finally {
    clearTimeout(timer);
  }
}

const silentError = () =>
  new ZeqError({ status: 0, code: 'clock_not_followed', detail: 'The stream of ticks fell silent.' });

/** Waits, or less when the signal comes. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    }
  });
}
