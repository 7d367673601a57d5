import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import type { Place } from '../config.ts';
import { AnswerParser, type AnswerSink } from './answer-parser.ts';
import { type Framed, requestHead } from './request-head.ts';
import { Upload } from './upload.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const TCP_KEEP_ALIVE_MS = 15_000;
/** A body up to this long is copied behind its head, so that both are one buffer (bytes). */
const COPY_BYTES = 16 * 1024;

export interface LinkRequest extends Framed {
  body: Buffer | Readable | null;
}

/** A call under way. */
export interface LinkCall {
  pause(): void;
  resume(): void;
  /** Ends the call; nothing more is heard of it. */
  abort(): void;
}

export interface LinkHandler {
  /** The call is on its way; a second time when it had to be sent again. */
  onStart(call: LinkCall): void;
  /** @param raw Header names and values in turn. @param length Bytes of the body; -1 when only its end will tell. */
  onHead(status: number, raw: string[], length: number): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** Instead of `onEnd`: the call cannot be made, or its answer broke off. */
  onError(err: Error): void;
}

export interface ConnectionOwner {
  /** The connection may carry another call. */
  idle(connection: Connection): void;
  /** It is closed. */
  gone(connection: Connection): void;
  /** A call on a connection that had gone stale meanwhile, and that may be sent again. */
  again(request: LinkRequest, handler: LinkHandler): void;
}

/** One connection to a service, and the call that it carries. */
export class Connection implements AnswerSink, LinkCall {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #host: string;
  readonly #parser = new AnswerParser(this);
  #handler: LinkHandler | undefined;
  #request: LinkRequest | undefined;
  #upload: Upload | undefined;
  #answered = 0;
  #answering = false;
  #over = false;
  #reusable = false;
  /** Monotonic ms. */
  idleSince = 0;

  constructor(place: Place, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#host = new URL(place.origin).host;
    this.#socket = dial(place);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('error', (err) => this.#fail(err));
    this.#socket.on('close', () => {
      owner.gone(this);
      this.#fail(new Error('the connection was closed'));
    });
  }

  start(request: LinkRequest, handler: LinkHandler): void {
    this.#handler = handler;
    this.#request = request;
    this.#answering = false;
    this.#parser.expect(request.method);
    handler.onStart(this);
    this.#write(request);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  abort(): void {
    this.#handler = undefined;
    this.destroy();
  }

  destroy(): void {
    this.#upload?.stop();
    this.#socket.destroy();
  }

  onHead(status: number, raw: string[], length: number): void {
    this.#answering = true;
    this.#handler?.onHead(status, raw, length);
  }

  onData(chunk: Buffer): void {
    this.#handler?.onData(chunk);
  }

  /** Only noted here: bytes behind the answer must be seen before the connection is lent out again. */
  onEnd(reusable: boolean): void {
    this.#over = true;
    this.#reusable = reusable;
  }

  #write(request: LinkRequest): void {
    const { body, length } = request;
    const head = requestHead(request, this.#host);
    if (body === null) this.#socket.write(head, 'latin1');
    else if (Buffer.isBuffer(body)) this.#writeWhole(head, body);
    else {
      this.#socket.write(head, 'latin1');
      this.#upload = new Upload({
        body,
        socket: this.#socket,
        chunked: length < 0,
        sent: () => {
          this.#upload = undefined;
        },
        broken: () => this.destroy(),
      });
    }
  }

  #writeWhole(head: string, body: Buffer): void {
    if (body.length > COPY_BYTES) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
      return;
    }
    const whole = Buffer.allocUnsafe(head.length + body.length);
    whole.write(head, 0, 'latin1');
    body.copy(whole, head.length);
    this.#socket.write(whole);
  }

  #read(chunk: Buffer): void {
    try {
      this.#parser.feed(chunk);
    } catch (err) {
      this.#over = false;
      this.#fail(err as Error);
      return;
    }
    if (this.#over) this.#settle();
  }

  /** An answer that came before the request's end leaves a connection that cannot be used again. */
  #settle(): void {
    const handler = this.#handler;
    this.#over = false;
    this.#handler = undefined;
    this.#request = undefined;
    this.#answered += 1;
    if (this.#reusable && this.#upload === undefined && !this.#socket.destroyed) {
      this.idleSince = performance.now();
      this.#socket.resume();
      this.#owner.idle(this);
    } else this.destroy();
    handler?.onEnd();
  }

  #ended(): void {
    try {
      this.#parser.close();
    } catch (err) {
      this.#fail(err as Error);
      return;
    }
    if (this.#over) this.#settle();
    else this.destroy();
  }

  #fail(err: Error): void {
    const handler = this.#handler;
    const request = this.#request;
    this.#handler = undefined;
    this.#request = undefined;
    this.destroy();
    if (handler === undefined || request === undefined) return;
    if (this.#mayGoAgain(request)) this.#owner.again(request, handler);
    else handler.onError(err);
  }

  /**
   * A service may close a connection that lay idle at the very moment it is used again. What cannot happen twice is sent
   * again then, on a new connection (RFC 9112 section 9.3.1).
   */
  #mayGoAgain(request: LinkRequest): boolean {
    return isRepeatable(request) && this.#answered > 0 && !this.#answering;
  }
}

/** Whether sending it twice would do no harm. */
export const isRepeatable = ({ method, body }: LinkRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && body === null;

function dial({ origin, socketPath }: Place): Socket {
  const { hostname, port } = new URL(origin);
  const socket =
    socketPath === undefined ? connect({ host: hostname, port: Number(port || 80) }) : connect(socketPath);
  const late = setTimeout(
    () => socket.destroy(new Error('the service did not accept in time')),
    CONNECT_TIMEOUT_MS,
  );
  socket.once('connect', () => clearTimeout(late)).once('close', () => clearTimeout(late));
  return socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
}
