import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProblemError } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import type { ForwardDeps } from './forward.ts';
import { ForwardCall } from './forward-call.ts';
import type { Passage } from './passage.ts';
import { Relay, type RelayDeps } from './relay.ts';
import { upstreamHeaders } from './request-headers.ts';
import type { ForwardTarget } from './request-target.ts';
import { callerHeaders } from './response-headers.ts';

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
  res.assignSocket(socket as never);
  res.shouldKeepAlive = false;
  res.once('finish', () => {
    res.detachSocket(socket as never);
    socket.end();
  });
  void new UpgradeCall(deps, req, res, socket, head).run(target);
}

class UpgradeCall extends ForwardCall {
  readonly #socket: Duplex;
  readonly #early: Buffer;
  #tunnel: Tunnel | undefined;

  constructor(deps: ForwardDeps, req: IncomingMessage, res: ServerResponse, socket: Duplex, early: Buffer) {
    super(deps, req, res);
    this.#socket = socket;
    this.#early = early;
    socket.on('error', () => socket.destroy());
    socket.once('close', () => res.emit('close'));
  }

  protected override send(): void {
    if (this.passage === undefined || this.#socket.destroyed) return;
    this.relay = this.buildRelay(this.passage);
    const headers = upstreamHeaders(this.head, this.passage.decision.api);
    this.relay.send({ headers, body: null, upgrade: 'websocket' });
  }

  protected override buildRelay(passage: Passage): Relay {
    const deps = {
      pools: this.deps.pools,
      startedAt: this.startedAt,
      requestId: this.requestId,
      fail: (err: unknown) => this.fail(err),
    };
    return new UpgradeRelay(passage, this.res, deps, (head, upstream) => this.#open(passage, head, upstream));
  }

  override cut(problem: ProblemError): void {
    if (this.#tunnel === undefined) super.cut(problem);
    else this.#tunnel.break();
  }

  #open(passage: Passage, head: string, upstream: Duplex): void {
    this.res.detachSocket(this.#socket as never);
    this.#socket.write(head, 'latin1');
    const { idle_timeout_ms: idleMs } = passage.decision.limits;
    this.#tunnel = new Tunnel(this.#socket, upstream, this.#early, idleMs);
    this.#tunnel.ended.then((outcome) => this.end(outcome));
  }
}

class UpgradeRelay extends Relay {
  readonly #open: (head: string, upstream: Duplex) => void;

  constructor(
    passage: Passage,
    res: ServerResponse,
    deps: RelayDeps,
    open: (head: string, upstream: Duplex) => void,
  ) {
    super(passage, res, deps);
    this.#open = open;
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    upstream: Duplex,
  ) {
    upstream.once('close', () => this.settle());
    const { headers } = callerHeaders(controller.rawHeaders as Buffer[], []);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
    this.#open(`${lines.join('\r\n')}\r\n\r\n`, upstream);
  }
}

/** Two sockets that carry each other's bytes, until one ends, both are silent for too long, or the ground is gone. */
class Tunnel {
  readonly ended: Promise<string>;
  readonly #caller: Duplex;
  readonly #upstream: Duplex;
  #outcome = 'ok';

  constructor(caller: Duplex, upstream: Duplex, early: Buffer, idleMs: number) {
    this.#caller = caller;
    this.#upstream = upstream;
    if (early.length > 0) upstream.write(early);
    caller.pipe(upstream).pipe(caller);
    (caller as { setTimeout?: (ms: number, then: () => void) => void }).setTimeout?.(idleMs, () => {
      this.#outcome = 'idle';
      this.#destroy();
    });
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

  break(): void {
    this.#outcome = 'revoked';
    this.#destroy();
  }

  #destroy(): void {
    this.#caller.destroy();
    this.#upstream.destroy();
  }
}
