import { WebSocket } from 'ws';

const EVERY_MS = 200;
const AGAIN_MS = 200;

/** A WebSocket through the mesh that says a number five times a second, checks the echo, and comes back when it is lost. */
export class SocketTalker {
  /** Echoes that were not what was expected next. */
  readonly faults: string[] = [];
  echoes = 0;
  losses = 0;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(url: string, headers: Record<string, string>) {
    this.#url = url.replace(/^http/, 'ws');
    this.#headers = headers;
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #open(): void {
    const socket = new WebSocket(this.#url, { headers: this.#headers });
    this.#socket = socket;
    let said = 0;
    let heard = 0;
    socket.on('open', () => {
      const talk = setInterval(() => socket.send(String(said++)), EVERY_MS);
      socket.once('close', () => clearInterval(talk));
    });
    socket.on('message', (message) => {
      if (String(message) !== String(heard)) this.faults.push(`${message} came instead of ${heard}`);
      heard += 1;
      this.echoes += 1;
    });
    socket.on('error', () => socket.terminate()); // its close follows, and counts
    socket.on('close', () => this.#again());
  }

  #again(): void {
    if (this.#stopped) return;
    this.losses += 1;
    this.#timer = setTimeout(() => this.#open(), AGAIN_MS);
  }
}
