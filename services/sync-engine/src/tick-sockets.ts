import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Hub } from '@zeq/service-kit';
import { type WebSocket, WebSocketServer } from 'ws';

/** Listeners beyond this many are refused; file descriptors and memory (about 12 KB each) are planned for it. */
export const MAX_SUBSCRIBERS = 20_000;
/** Frames that a listener sends are ignored, so they are small or not at all. */
const MAX_INBOUND_BYTES = 1_024;
/** A WebSocket that has not answered a ping by the next one is gone. */
const PING_MS = 30_000;

/** WebSockets that listen. Pings find those that went away without a word. */
export class TickSockets {
  readonly #hub: Hub;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
  });
  readonly #answered = new WeakSet<WebSocket>();
  readonly #timer: NodeJS.Timeout;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#timer = setInterval(() => this.#ping(), PING_MS).unref();
  }

  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(req, socket, head, (ws) => {
      this.#answered.add(ws);
      ws.on('pong', () => this.#answered.add(ws));
      ws.on('error', () => ws.terminate()); // a frame that breaks the protocol or the limit
      req.socket.setNoDelay(true);
      this.#hub.add({ socket: req.socket, kind: 'websocket' });
    });
  }

  close(): void {
    clearInterval(this.#timer);
    for (const ws of this.#server.clients) ws.close(1001, 'the engine is stopping');
    this.#server.close();
  }

  #ping(): void {
    for (const ws of this.#server.clients) {
      if (!this.#answered.delete(ws)) ws.terminate();
      else ws.ping();
    }
  }
}
