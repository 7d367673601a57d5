import type { Socket } from 'node:net';
import type { FrameKind, Frames } from './frames.ts';

/** A subscriber who has this much waiting in our process is not reading: it is dropped. */
const MAX_WAITING_BYTES = 64 * 1024;
/** Sockets written before other work gets its turn: about 3 ms. */
const BATCH = 400;

export interface Subscriber {
  socket: Socket;
  kind: FrameKind;
}

/**
 * Hands each message to everybody who listens. A message is made into bytes once per kind of stream and written as it is, so one more
 * subscriber costs one write. Who does not read is cut off alone.
 */
export class Hub {
  readonly #subscribers = new Set<Subscriber>();
  readonly #onDropped: () => void;
  #sending = Promise.resolve();

  constructor(onDropped: () => void = () => undefined) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Adds a socket that from now on carries nothing but what the hub writes (and, on a WebSocket, whole control frames). */
  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    subscriber.socket.once('close', () => this.#subscribers.delete(subscriber));
  }

  remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Messages go out in the order of the calls. @returns When the last subscriber has been written to. */
  broadcast(frames: Frames): Promise<void> {
    this.#sending = this.#sending.then(() => this.#send(frames));
    return this.#sending;
  }

  async #send(frames: Frames): Promise<void> {
    let written = 0;
    for (const subscriber of this.#subscribers) {
      this.#write(subscriber, frames);
      written += 1;
      if (written % BATCH === 0) await new Promise(setImmediate);
    }
  }

  #write(subscriber: Subscriber, frames: Frames): void {
    const { socket, kind } = subscriber;
    if (!socket.writable) return;
    if (socket.writableLength <= MAX_WAITING_BYTES) return void socket.write(frames[kind]);
    this.#subscribers.delete(subscriber);
    socket.destroy();
    this.#onDropped();
  }
}
