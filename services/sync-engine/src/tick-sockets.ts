import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Hub, ProblemError } from '@zeq/service-kit';
import { type WebSocket, WebSocketServer } from 'ws';

/** Listeners beyond this many are refused; file descriptors and memory (about 12 KB each) are planned for it. */
export const MAX_SUBSCRIBERS = 20_000;
/** Frames that a listener sends are ignored, so they are small or not at all. */
const MAX_INBOUND_BYTES = 1_024;
/** A WebSocket that has not answered a ping by the next one is gone. */
const PING_MS = 30_000;
/** Pings are spread over time: all at once, they would make a tick late. */
const LOOK_MS = 1_000;

/** WebSockets that listen to ticks. Pings find those that went away without a word. */
export class TickSockets {
  readonly #hub: Hub;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
  });
  /** When each was pinged last (monotonic ms), and whether it has answered since. */
  readonly #pings = new WeakMap<WebSocket, { at: number; answered: boolean }>();
  readonly #timer: NodeJS.Timeout;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS).unref();
  }

  /** @throws ProblemError `overloaded` before anything is upgraded. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#hub.size >= MAX_SUBSCRIBERS) throw new ProblemError('overloaded', 'Too many listeners here.');
    this.#server.handleUpgrade(req, socket, head, (ws) => {
      const ping = { at: performance.now() - Math.random() * PING_MS, answered: true };
      this.#pings.set(ws, ping);
      ws.on('pong', () => {
        ping.answered = true;
      });
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

  #look(now: number): void {
    for (const ws of this.#server.clients) {
      const ping = this.#pings.get(ws);
      if (!ping || now - ping.at < PING_MS) continue;
      if (ping.answered) ws.ping();
      else ws.terminate();
      ping.at = now;
      ping.answered = false;
    }
  }
}
