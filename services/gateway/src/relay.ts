import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Identity, Live } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import type { Call } from './call.ts';
import { lingerAfter, refuse } from './refuse.ts';
import { answerHead, hasLength } from './response-headers.ts';

/** A client that takes nothing for this long is given up (ms), as nginx's send_timeout does. */
const STALLED_MS = 60_000;

export interface RelayOptions {
  req: IncomingMessage;
  res: ServerResponse;
  call: Call;
  identity: Identity;
  /** Raw pairs for the answer: the CORS grant. */
  extra: readonly string[];
  /** Called once, when everything is over. */
  done: (relay: Relay) => void;
}

/**
 * One forwarded call: passes the forwarder's answer to the client as it comes. It ends early from either side: a client
 * that leaves aborts the call, and a call that breaks takes the client's socket with it, so that no broken body looks whole.
 */
export class Relay implements Dispatcher.DispatchHandler, Live {
  readonly #options: RelayOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #over = false;
  /** Bytes of the answer still to come; -1 when it has no stated length. */
  #left = -1;
  /** Monotonic ms: when the gateway's own work began and when the call was handed on. */
  startedAt: number;
  handedOnAt = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.startedAt = options.call.startedAt;
    options.identity.live.add(this);
    options.res.on('close', () => this.#close());
  }

  /** Whether the client is still there to be answered. */
  get isOpen(): boolean {
    return !this.#over;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('the client left'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.#over) return;
    const { res, call, extra } = this.#options;
    const raw = controller.rawHeaders as Buffer[];
    const added = `gateway;dur=${(this.handedOnAt - this.startedAt).toFixed(3)}`;
    res.sendDate = false;
    this.#left = hasLength(raw);
    res.writeHead(status, answerHead(raw, call.id, added, extra));
    if (this.#left < 0) res.flushHeaders(); // a stream: its first byte must not wait for the second
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { res } = this.#options;
    if (this.#over) return;
    this.#left -= chunk.length;
    if (this.#left === 0) res.end(chunk);
    else if (!res.write(chunk)) this.#pause(controller);
  }

  onResponseEnd(): void {
    const { req, res } = this.#options;
    if (!res.writableEnded) res.end();
    lingerAfter(req, res);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, _err: Error): void {
    const { req, res, call } = this.#options;
    if (this.#over || res.writableEnded) return;
    if (!res.headersSent) {
      const detail = 'The forwarder cannot be reached, or went away during the call.';
      refuse(req, res, call, 'service_unavailable', detail, { extra: this.#options.extra });
      return;
    }
    call.outcome = 'broken';
    res.destroy();
  }

  /** Ends the call because its identity has ended. */
  cut(): void {
    const { req, res, call } = this.#options;
    if (this.#over) return;
    if (res.headersSent) {
      call.outcome = 'revoked';
      res.destroy();
    } else refuse(req, res, call, 'unauthorized', 'The credential was revoked during the call.');
    this.#controller?.abort(new Error('revoked'));
  }

  #pause(controller: Dispatcher.DispatchController): void {
    const { res, call } = this.#options;
    controller.pause();
    this.#stalled = setTimeout(() => {
      call.outcome = 'stalled';
      res.destroy();
    }, STALLED_MS);
    res.once('drain', () => {
      clearTimeout(this.#stalled);
      controller.resume();
    });
  }

  #close(): void {
    const { res, call, identity, done } = this.#options;
    this.#over = true;
    clearTimeout(this.#stalled);
    identity.live.delete(this);
    if (!res.writableFinished) {
      call.outcome ??= 'aborted';
      this.#controller?.abort(new Error('the client left'));
    }
    done(this);
  }

  /** Body collected: the time that the client took to send it is not ours. */
  restartClock(): void {
    this.startedAt = performance.now();
  }
}
