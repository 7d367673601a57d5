import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TescMessage } from '@zeq/contracts';
import { EVENT_STREAM } from '@zeq/service-kit';
import { requireSeen } from './channels.ts';
import { readMessages } from './messages.ts';
import type { Tesc } from './tesc.ts';
import { readOrWait } from './waiting.ts';

/** A stream ends after the life of a session; its reader comes back with `Last-Event-ID` and is asked again who it is. */
export const MAX_STREAM_MS = 15 * 60_000;
/** Silence is broken this often, so that proxies keep the connection and a reader that is gone shows. */
const KEEP_ALIVE_MS = 15_000;
const DRAIN_MS = 30_000;
const PAGE = 100;

export interface StreamFrom {
  after: number;
  open: boolean;
}

/** Hands over messages as they come, in order, until the reader leaves or its time is up. */
export async function feedMessages(
  tesc: Tesc,
  machineId: string,
  id: string,
  { after, open }: StreamFrom,
  {
    deliver,
    idle,
    signal,
  }: { deliver: (message: TescMessage) => Promise<void>; idle: () => void; signal: AbortSignal },
): Promise<void> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(MAX_STREAM_MS)]);
  for (let next = after; !end.aborted; ) {
    const read = () => readMessages(tesc, machineId, id, { after: next, limit: PAGE, open });
    const messages = await readOrWait(tesc.waiting, id, read, { waitMs: KEEP_ALIVE_MS, signal: end });
    if (messages.length === 0) idle();
    for (const message of messages) {
      await deliver(message);
      next = message.seq;
    }
  }
}

/** Messages as server-sent events, with backpressure: a reader that does not read for 30 s is cut off. */
export async function streamMessages(
  tesc: Tesc,
  machineId: string,
  id: string,
  from: StreamFrom,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  await requireSeen(tesc.store, id, machineId); // a refusal is a problem document, not an empty stream
  if (req.method !== 'GET') return void res.writeHead(200, EVENT_STREAM).end();
  const left = new AbortController();
  res.once('close', () => left.abort());
  req.socket.setNoDelay(true);
  res.writeHead(200, EVENT_STREAM);
  res.write('retry: 777\n\n');
  const write = async (text: string) => {
    if (res.write(text) || left.signal.aborted) return;
    await once(res, 'drain', { signal: AbortSignal.any([left.signal, AbortSignal.timeout(DRAIN_MS)]) });
  };
  try {
    await feedMessages(tesc, machineId, id, from, {
      deliver: (message) => write(`id: ${message.seq}\ndata: ${JSON.stringify(message)}\n\n`),
      idle: () => void res.write(': alive\n\n'),
      signal: left.signal,
    });
    res.end();
  } catch (err) {
    if (left.signal.aborted) return; // the reader has left
    res.destroy(err as Error); // visibly broken: the reader comes back
  }
}
