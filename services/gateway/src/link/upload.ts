import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export interface UploadOptions {
  body: Readable;
  socket: Socket;
  /** The body's length is not known: it is sent in chunks. */
  chunked: boolean;
  /** The body has been written to its end. */
  sent: () => void;
  /** Its sender left before that. */
  broken: () => void;
}

/** Writes a body to a connection as it comes, no faster than the connection takes it. */
export class Upload {
  readonly #options: UploadOptions;
  readonly #write = (chunk: Buffer) => this.#take(chunk);
  readonly #flush = () => this.#send();
  readonly #end = () => this.#finish();
  readonly #leave = () => this.#options.broken();
  #pending: Buffer[] = [];
  readonly #go = () => this.#options.body.resume();

  constructor(options: UploadOptions) {
    this.#options = options;
    options.body.on('data', this.#write).on('end', this.#end).on('close', this.#leave);
  }

  /** Stops reading; what the body still holds is somebody else's to discard. */
  stop(): void {
    const { body, socket } = this.#options;
    body.off('data', this.#write).off('end', this.#end).off('close', this.#leave);
    socket.off('drain', this.#go);
  }

  /** What one read brings is sent as one chunk, however finely its sender cut it. */
  #take(chunk: Buffer): void {
    if (this.#pending.push(chunk) === 1) process.nextTick(this.#flush);
  }

  #send(): void {
    const { body, socket, chunked } = this.#options;
    const chunk = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    this.#pending = [];
    if (chunk.length === 0 || socket.destroyed) return;
    if (chunked) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      socket.write('\r\n', 'latin1');
      socket.uncork();
    } else socket.write(chunk);
    if (!socket.writableNeedDrain) return;
    body.pause();
    socket.once('drain', this.#go);
  }

  #finish(): void {
    const { socket, chunked, sent } = this.#options;
    this.stop();
    this.#send();
    if (chunked) socket.write('0\r\n\r\n', 'latin1');
    sent();
  }
}
