import { zeqondOf } from '@zeq/crypto';
import { EVENT_STREAM, ProblemError } from '@zeq/service-kit';
import type { Request, Response } from 'express';
import type { Ticker } from './ticker.ts';

const MAX_STREAMS = 500;
/** A reader that lies this far behind (bytes) misses ticks instead of filling our memory. */
const MAX_WAITING_BYTES = 1_000_000;
/** Ticks between two looks at whether the caller is still who they were: some 3 s. */
const ASK_EVERY_TICKS = 4;

export interface LiveSource {
  ticker: Ticker;
  now: () => number;
  /** One event as it goes over the wire. */
  frame: (nowMs: number) => Buffer;
  /** Whether the caller may still read. */
  mayStay: () => Promise<boolean>;
}

/**
 * Answers with server-sent events: one now, and one at every tick until the reader leaves or is no longer allowed. (service-kit's hub
 * writes one message to all; here each reader has asked for something of its own, and some for a hundred kilobytes of it.)
 */
export function streamEvents(res: Response, { ticker, now, frame, mayStay }: LiveSource): void {
  if (ticker.listeners >= MAX_STREAMS)
    throw new ProblemError('overloaded', 'Too many live streams are open; try again later.');
  res.writeHead(200, EVENT_STREAM);
  let ticks = 0;
  const endUnless = (allowed: boolean) => {
    if (!allowed) res.end();
  };
  const send = (nowMs: number) => {
    if (res.writableLength <= MAX_WAITING_BYTES) res.write(frame(nowMs));
    ticks += 1;
    if (ticks % ASK_EVERY_TICKS === 0) mayStay().then(endUnless, () => endUnless(false));
  };
  res.on('close', ticker.subscribe(send));
  send(now());
}

/** Frames a JSON text as an event that is named after its Zeqond, so that a reader sees what it missed. */
export const eventFrame = (nowMs: number, json: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`event: state\nid: ${zeqondOf(nowMs)}\ndata: `),
    Buffer.from(json),
    Buffer.from('\n\n'),
  ]);

/** EventSource asks so of itself; others say `Accept: text/event-stream`. */
export const wantsEvents = (req: Request): boolean =>
  req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
