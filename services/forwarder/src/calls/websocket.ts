import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, Transform, type TransformCallback } from 'node:stream';
import type { ProblemError } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import { Relay, type RelayedCall } from '../answer/relay.ts';
import { callerHeaders } from '../answer/response-headers.ts';
import type { Passage } from '../decision/passage.ts';
import type { Matcher } from '../redaction/matcher.ts';
import { redactHeaders } from '../redaction/redact-headers.ts';
import { WebSocketRedactor } from '../redaction/web-socket-redactor.ts';
import { upstreamHeaders } from '../request/request-headers.ts';
import type { ForwardTarget } from '../request/request-target.ts';
import type { Pools } from '../upstream/pools.ts';
import type { CallRecord } from '../usage/call-record.ts';
import type { ForwardDeps } from './forward.ts';
import { ForwardCall } from './forward-call.ts';
import { GoodbyeWatch } from './web-socket-frames.ts';

/** Only a WebSocket handshake is an upgrade here; another one is an ordinary request whose Upgrade stays behind. */
export const isWebSocketUpgrade = (req: IncomingMessage): boolean =>
  req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket';

/**
 * A WebSocket through the mesh. The handshake is identified, decided, limited and guarded like any request; when the
 * upstream agrees, bytes are piped both ways, and what the upstream answers instead goes to the caller as an answer.
 */
export function forwardUpgrade(
  deps: ForwardDeps,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: ForwardTarget,
): void {
  const res = new ServerResponse(req);
  res.assignSocket(socket as Socket);
  res.shouldKeepAlive = false;
  res.once('finish', () => {
    res.detachSocket(socket as Socket);
    socket.end();
  });
  new UpgradeCall(deps, req, res, socket, head).run(target);
}

/** Bytes that a caller may send before the upstream has agreed; it should send none. */
const MAX_EARLY_BYTES = 64 * 1024;

class UpgradeCall extends ForwardCall {
  protected override readonly kind = 'websocket';
  readonly #socket: Duplex;
  readonly #early: Buffer[];
  #tunnel: Tunnel | undefined;

  constructor(deps: ForwardDeps, req: IncomingMessage, res: ServerResponse, socket: Duplex, early: Buffer) {
    super(deps, req, res);
    this.#socket = socket;
    this.#early = [early];
    socket.on('error', () => socket.destroy());
    // The socket is read during the handshake too: else nobody would notice that its caller has left.
    socket.on('data', this.#onEarly).once('end', this.#onEarlyEnd);
    socket.once('close', () => {
      if (this.#tunnel === undefined) res.emit('close'); // nobody else tells the answer that its socket has gone
    });
  }

  protected override send(): void {
    const passage = this.passage!;
    this.relay = new UpgradeRelay(passage, this.deps.pools, this, (head, upstream) =>
      this.#open(passage, head, upstream),
    );
    this.relay.send({
      headers: withoutExtensions(upstreamHeaders(this.head, passage.decision)),
      body: null,
      upgrade: 'websocket',
    });
  }

  override cut(problem: ProblemError): void {
    if (this.#tunnel === undefined) super.cut(problem);
    else this.#tunnel.break();
  }

  protected override measure(record: CallRecord): void {
    super.measure(record);
    if (this.#tunnel === undefined) return;
    record.bytesIn = this.#tunnel.bytesIn;
    record.bytesOut = this.#tunnel.bytesOut;
  }

  #open(passage: Passage, head: string, upstream: Duplex): void {
    const socket = this.#socket;
    socket.off('data', this.#onEarly).off('end', this.#onEarlyEnd).pause();
    this.res.detachSocket(socket as Socket);
    socket.write(head, 'latin1');
    for (const chunk of this.#early) upstream.write(chunk);
    this.#tunnel = new Tunnel(socket as Socket, upstream, passage, this.#early);
    this.#tunnel.ended.then((outcome) => this.end(outcome, 101));
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk);
    if (lengthOf(this.#early) > MAX_EARLY_BYTES) this.#socket.destroy();
  };

  readonly #onEarlyEnd = (): void => void this.#socket.destroy();
}

const lengthOf = (chunks: readonly Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0);

class UpgradeRelay extends Relay {
  readonly #open: (head: string, upstream: Duplex) => void;

  constructor(
    passage: Passage,
    pools: Pools,
    call: RelayedCall,
    open: (head: string, upstream: Duplex) => void,
  ) {
    super(passage, pools, call);
    this.#open = open;
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    _status: number,
    answer: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    this.began();
    upstream.once('close', () => this.settle());
    const { secrets } = this.passage;
    const headers = withoutExtensions(callerHeaders(answer, []).headers);
    if (secrets !== undefined) redactHeaders(headers, secrets);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
    this.#open(`${lines.join('\r\n')}\r\n\r\n`, upstream);
  }
}

/** Two sockets that carry each other's bytes, until one ends, both are silent for too long, or the ground is gone. */
class Tunnel {
  readonly ended: Promise<string>;
  readonly #caller: Socket;
  readonly #upstream: Duplex;
  /** What the caller's socket had read and written when the tunnel began: the handshake. */
  readonly #readBefore: number;
  readonly #writtenBefore: number;
  readonly #goodbye = new GoodbyeWatch();
  #outcome = 'ok';

  /** @param early What the caller sent with the handshake and belongs into the tunnel. */
  constructor(caller: Socket, upstream: Duplex, { secrets, decision }: Passage, early: readonly Buffer[]) {
    this.#caller = caller;
    this.#readBefore = caller.bytesRead - lengthOf(early);
    this.#writtenBefore = caller.bytesWritten;
    this.#upstream = upstream;
    for (const chunk of early) this.#goodbye.push(chunk);
    caller.on('data', (chunk: Buffer) => this.#goodbye.push(chunk));
    this.#noteWhoLeft();
    caller.pipe(upstream);
    if (secrets === undefined) upstream.pipe(caller);
    else upstream.pipe(this.#searched(secrets)).pipe(caller);
    // what passes in either direction passes here
    caller.setTimeout(decision.limits.idle_timeout_ms, () => this.break('idle'));
    this.ended = new Promise((resolve) => {
      for (const socket of [caller, upstream]) {
        socket.on('error', () => this.#destroy());
        socket.once('close', () => {
          this.#destroy();
          resolve(this.#outcome);
        });
      }
    });
  }

  get bytesIn(): number {
    return this.#caller.bytesRead - this.#readBefore;
  }

  get bytesOut(): number {
    return this.#caller.bytesWritten - this.#writtenBefore;
  }

  break(outcome = 'revoked'): void {
    this.#outcome = outcome;
    this.#destroy();
  }

  /** A caller that goes without a word, before the upstream does, has aborted; one that said goodbye need not wait for an answer. */
  #noteWhoLeft(): void {
    let upstreamLeft = false;
    const onCallerLeft = () => {
      if (!upstreamLeft && !this.#goodbye.seen && this.#outcome === 'ok') this.#outcome = 'aborted';
    };
    for (const event of ['end', 'error', 'close']) {
      this.#upstream.once(event, () => {
        upstreamLeft = true;
      });
      this.#caller.once(event, onCallerLeft);
    }
  }

  #searched(secrets: Matcher): Transform {
    const redactor = new WebSocketRedactor(secrets);
    const transform = (chunk: Buffer, _encoding: string, done: TransformCallback) => {
      try {
        done(null, redactor.push(chunk));
      } catch (err) {
        done(err as RangeError);
      }
    };
    return new Transform({ transform }).on('error', () => this.break('upstream_invalid'));
  }

  #destroy(): void {
    this.#caller.destroy();
    this.#upstream.destroy();
  }
}

/**
 * Both sides are told that the other knows no extension: packed messages could not be searched (RFC 7692 section 8), and a
 * choice of ours for some APIs only would be one more thing to explain.
 */
function withoutExtensions(headers: readonly string[]): string[] {
  return headers.filter((_, i) => headers[i - (i % 2)]!.toLowerCase() !== 'sec-websocket-extensions');
}
