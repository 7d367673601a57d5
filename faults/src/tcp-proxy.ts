import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is done to the bytes that pass. */
export interface Toxins {
  /** Everything, in both directions, is held back for this long (ms). */
  delayMs: number;
  /** Chunks of the answer are passed on in pieces of this size. */
  sliceBytes: number;
  /** The connection ends after this many bytes of the answer; below 0 never. */
  endAfterBytes: number;
  /** How it ends then: a reset, a half-close (FIN), or silence with everything open. */
  ending: 'reset' | 'half-close' | 'silence';
}

const HARMLESS: Toxins = {
  delayMs: 0,
  sliceBytes: Number.POSITIVE_INFINITY,
  endAfterBytes: -1,
  ending: 'reset',
};
/** A request gets this far ahead (ms) of a connection that ends before its answer. */
const BEFORE_THE_ANSWER_MS = 20;

/** A TCP relay that can spoil connections. Toxins hold for connections that are opened after they were set; delays at once. */
export class TcpProxy {
  toxins: Toxins = { ...HARMLESS };
  /** A port of 127.0.0.1; another one is for the connections that come from now on. */
  target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: number) {
    this.target = target;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#relay(near));
  }

  async open(port = 0): Promise<this> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  heal(): void {
    this.toxins = { ...HARMLESS };
  }

  /** Resets every connection that is open. */
  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #relay(near: Socket): void {
    const far = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const { endAfterBytes, ending, sliceBytes } = this.toxins;
    let left = endAfterBytes < 0 ? Number.POSITIVE_INFINITY : endAfterBytes;
    this.#join(near, far, (chunk) => far.write(chunk));
    this.#join(far, near, (chunk) => {
      if (left <= 0) return;
      for (const piece of slices(chunk.subarray(0, left), sliceBytes)) near.write(piece);
      left -= chunk.length;
      if (left <= 0) end(near, ending);
    });
    if (left === 0) near.once('data', () => setTimeout(() => end(near, ending), BEFORE_THE_ANSWER_MS));
  }

  /** What happens on one side happens on the other, in the same order. */
  #join(from: Socket, to: Socket, pass: (chunk: Buffer) => void): void {
    const lane = new Lane(() => this.toxins.delayMs);
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => lane.add(() => pass(chunk)));
    from.on('end', () => lane.add(() => to.end()));
    from.on('error', () => reset(to));
    from.on('close', () => {
      this.#sockets.delete(from);
      lane.add(() => to.destroySoon());
    });
  }
}

/** Does things after a delay, one after the other, also while the delay changes. */
class Lane {
  readonly #delayMs: () => number;
  #tail = Promise.resolve();
  #waiting = 0;

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  add(act: () => void): void {
    const delayMs = this.#delayMs();
    if (this.#waiting === 0 && delayMs === 0) act();
    else this.#later(performance.now() + delayMs, act);
  }

  #later(dueAt: number, act: () => void): void {
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      await sleep(Math.max(0, dueAt - performance.now()));
      this.#waiting -= 1;
      act();
    });
  }
}

function* slices(chunk: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
}

function end(near: Socket, ending: Toxins['ending']): void {
  if (ending === 'reset') reset(near);
  else if (ending === 'half-close') near.end();
}

/** Not after an end: libuv refuses a reset while the FIN waits (EINVAL), and Node then never closes the socket. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
