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
  readonly #write = (chunk: Buffer) => this.#send(chunk);
  readonly #end = () => this.#finish();
  readonly #leave = () => this.#options.broken();
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

  #send(chunk: Buffer): void {
    const { body, socket, chunked } = this.#options;
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
    if (chunked) socket.write('0\r\n\r\n', 'latin1');
    sent();
  }
}
