import { zeqondOf } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { Request, Response } from 'express';
import type { Ticker } from './ticker.ts';

const MAX_STREAMS = 500;
/** A reader that lies this far behind (bytes) misses ticks instead of filling our memory. */
const MAX_WAITING_BYTES = 1_000_000;
/** Ticks between two looks at whether the caller is still who they were: some 3 s. */
const ASK_EVERY_TICKS = 4;

export interface EventSource {
  ticker: Ticker;
  now: () => number;
  /** The JSON of one event. */
  event: (nowMs: number) => string | Buffer;
  /** Whether the caller may still read. */
  mayStay: () => Promise<boolean>;
}

/** Answers with server-sent events: one now, and one at every tick until the reader leaves or is no longer allowed. */
export function streamEvents(
  req: Request,
  res: Response,
  { ticker, now, event, mayStay }: EventSource,
): void {
  if (ticker.listeners >= MAX_STREAMS)
    throw new ProblemError('overloaded', 'Too many live streams are open; try again later.');
  res.set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  let ticks = 0;
  const send = (nowMs: number) => {
    if (res.writableLength <= MAX_WAITING_BYTES)
      res.write(`event: state\nid: ${zeqondOf(nowMs)}\ndata: ${event(nowMs)}\n\n`);
    ticks += 1;
    if (ticks % ASK_EVERY_TICKS === 0) mayStay().then(endUnless, () => endUnless(false));
  };
  const endUnless = (allowed: boolean) => {
    if (!allowed) res.end();
  };
  const unsubscribe = ticker.subscribe(send);
  req.on('close', unsubscribe);
  res.on('close', unsubscribe);
  send(now());
}

/** EventSource asks so of itself; others say `Accept: text/event-stream`. */
export const wantsEvents = (req: Request): boolean =>
  req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
