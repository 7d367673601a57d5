import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';

/** What an upstream saw of the calls to one of its halves. */
export interface Seen {
  requests: number;
  websockets: number;
  status: Record<string, number>;
  bytesIn: number;
  bytesOut: number;
  tokensIn: number;
  tokensOut: number;
}

const nothing = (): Seen => ({
  requests: 0,
  websockets: 0,
  status: {},
  bytesIn: 0,
  bytesOut: 0,
  tokensIn: 0,
  tokensOut: 0,
});

/**
 * An upstream that counts. Calls to `/whole/KIND` come to their end; those to `/cut/KIND` do not: their caller leaves, or the
 * upstream breaks off.
 */
export class UsageUpstream {
  readonly whole = nothing();
  readonly cut = nothing();
  port = 0;
  readonly #server: Server = createServer((req, res) => void this.#receive(req, res));
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #arrived = new Map<string, () => void>();
  /** Of each request: when it arrived and when it ended (monotonic ms). */
  readonly #times: { from: number; to: number }[] = [];

  async open(): Promise<this> {
    this.#server.on('upgrade', (req, socket, head) => this.#upgrade(req, socket, head));
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Resolves when the call with this path has arrived and is counted. */
  arrival(path: string): Promise<void> {
    return new Promise((resolve) => this.#arrived.set(path, resolve));
  }

  get requests(): number {
    return this.whole.requests + this.cut.requests;
  }

  /** How many requests were open at some moment of that time (monotonic ms). */
  openBetween(from: number, to: number): number {
    return this.#times.filter((request) => request.from <= to && request.to >= from).length;
  }

  #note(ended: Duplex | ServerResponse): void {
    const times = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#times.push(times);
    ended.once('close', () => {
      times.to = performance.now();
    });
  }

  async #receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [, half, kind] = req.url!.split('/');
    const seen = half === 'whole' ? this.whole : this.cut;
    seen.requests += 1;
    this.#note(res);
    res.on('error', () => res.destroy());
    for await (const chunk of req) seen.bytesIn += (chunk as Buffer).length;
    this.#arrived.get(req.url!)?.();
    if (half === 'cut') return breakOff(kind!, res);
    await this.#answer(kind!, seen, res);
  }

  async #answer(kind: string, seen: Seen, res: ServerResponse): Promise<void> {
    const [input, output] = [1 + Math.floor(Math.random() * 5_000), 1 + Math.floor(Math.random() * 900)];
    const { status, type, parts, packed } = ANSWERS[kind]!(input, output);
    count(seen.status, `${Math.floor(status / 100)}xx`);
    const states = status === 200 && type !== 'text/plain';
    if (states) {
      seen.tokensIn += input;
      seen.tokensOut += output;
    }
    res.writeHead(status, { 'content-type': type, ...(packed && { 'content-encoding': 'gzip' }) });
    for (const part of parts) {
      seen.bytesOut += part.length;
      res.write(part);
      if (parts.length > 1) await sleep(2);
    }
    res.end();
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { whole } = this;
    whole.requests += 1;
    this.#note(socket);
    whole.websockets += 1;
    count(whole.status, '1xx');
    this.#sockets.handleUpgrade(req, socket, head, (ws: WebSocket) => {
      const tcp = socket as Socket;
      const [readBefore, writtenBefore] = [tcp.bytesRead - head.length, tcp.bytesWritten];
      ws.on('message', (data) => ws.send(data));
      socket.once('close', () => {
        whole.bytesIn += tcp.bytesRead - readBefore;
        whole.bytesOut += tcp.bytesWritten - writtenBefore;
      });
    });
  }
}

interface Answer {
  status: number;
  type: string;
  parts: Buffer[];
  packed?: true;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const events = (...data: unknown[]): Buffer[] =>
  data.map((each) => Buffer.from(`event: e\ndata: ${JSON.stringify(each)}\n\n`));
const error = (status: number) => (): Answer => ({
  status,
  type: 'application/json',
  parts: [json({ error: 'no', usage: { prompt_tokens: 1 } })],
});
const openAi = (input: number, output: number) => ({ prompt_tokens: input, completion_tokens: output });

const ANSWERS: Record<string, (input: number, output: number) => Answer> = {
  chat: (input, output) => ({
    status: 200,
    type: 'application/json',
    parts: [json({ choices: [{ message: { content: 'x'.repeat(output) } }], usage: openAi(input, output) })],
  }),
  packed: (input, output) => ({
    status: 200,
    type: 'application/json',
    parts: [gzipSync(json({ choices: [], usage: openAi(input, output) }))],
    packed: true,
  }),
  'chat-stream': (input, output) => ({
    status: 200,
    type: 'text/event-stream',
    parts: events({ usage: null }, { choices: [] }, { choices: [], usage: openAi(input, output) }),
  }),
  'messages-stream': (input, output) => ({
    status: 200,
    type: 'text/event-stream; charset=utf-8',
    parts: events(
      { type: 'message_start', message: { usage: { input_tokens: input, output_tokens: 1 } } },
      { type: 'content_block_delta', delta: { text: '"usage":{"input_tokens":9}' } },
      { type: 'message_delta', usage: { output_tokens: output } },
    ),
  }),
  gemini: (input, output) => ({
    status: 200,
    type: 'application/json',
    parts: [
      Buffer.from('[{"usageMetadata":{"promptTokenCount":1}},'),
      json({ usageMetadata: { promptTokenCount: input, candidatesTokenCount: output } }),
      Buffer.from(']'),
    ],
  }),
  upload: () => ({ status: 201, type: 'text/plain', parts: [Buffer.from('taken')] }),
  empty: () => ({ status: 204, type: 'text/plain', parts: [] }),
  'bad-request': error(400),
  'too-many': error(429),
  failing: error(503),
};

export const WHOLE_KINDS = Object.keys(ANSWERS);

function breakOff(kind: string, res: ServerResponse): void {
  if (kind === 'silence') return; // its caller leaves
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write('data: {}\n\n');
  if (kind === 'break') setTimeout(() => res.destroy(), 5);
}

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};
