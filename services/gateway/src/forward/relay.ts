import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { breakOff, type Identity, type Live, lingerAfter } from '@zeq/service-kit';
import type { LinkCall, LinkHandler } from '../link/connection.ts';
import type { Call } from '../request/call.ts';
import { refuse } from '../request/refuse.ts';
import { answerHead } from './response-headers.ts';

/** A client that takes nothing for this long is given up (ms), as nginx's send_timeout does. */
const STALLED_MS = 60_000;

export interface RelayOptions {
  res: ServerResponse;
  call: Call;
  identity: Identity;
  /** Raw pairs for the answer: the CORS grant. */
  extra: readonly string[];
  /** Called once, when everything is over. */
  done: () => void;
  /** Told why the link failed; the client learns only that it did. */
  failed: (err: Error) => void;
}

/**
 * One forwarded call: passes the forwarder's answer to the client as it comes. It ends early from either side: a client
 * that leaves aborts the call, and a call that breaks takes the client's socket with it, so that no broken body looks whole.
 */
export class Relay implements LinkHandler, Live {
  slot = -1;
  readonly #options: RelayOptions;
  readonly #resume = () => this.#drained();
  #call: LinkCall | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #over = false;
  /** Bytes of the answer still to come; below 0 when it has no stated length. */
  #left = -1;
  /** Monotonic ms: when the gateway's own work began and when the call was handed on. */
  #startedAt: number;
  #handedOnAt = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#startedAt = options.call.startedAt;
    options.identity.live.add(this);
    options.res.on('close', () => this.#close());
  }

  /** The body is whole: the time that the client took to send it is not ours. */
  restartClock(): void {
    this.#startedAt = performance.now();
  }

  onStart(call: LinkCall): void {
    this.#call = call;
    this.#handedOnAt = performance.now();
  }

  onHead(status: number, raw: string[], length: number): void {
    const { res, call, extra } = this.#options;
    const added = `gateway;dur=${(this.#handedOnAt - this.#startedAt).toFixed(3)}`;
    res.sendDate = false;
    this.#left = length;
    res.writeHead(status, answerHead(raw, call.id, added, extra));
    if (length < 0)
      res.flushHeaders(); // a stream: its first byte must not wait for the second
    else if (length > 0) process.nextTick(flushAlone, this, length); // a body in the same read goes with it, in one write
  }

  /** Sends the head whose body has not begun to come: the client learns its status, and that a break is one. */
  flushAlone(length: number): void {
    const { res } = this.#options;
    if (this.#left === length && !res.writableEnded) res.flushHeaders();
  }

  onData(chunk: Buffer): void {
    const { res } = this.#options;
    this.#left -= chunk.length;
    if (this.#left === 0) res.end(chunk);
    else if (!res.write(chunk)) this.#pause();
  }

  onEnd(): void {
    const { res } = this.#options;
    this.#call = undefined;
    if (!res.writableEnded) res.end();
    lingerAfter(res);
  }

  onError(err: Error): void {
    const { res, call, extra, failed } = this.#options;
    this.#call = undefined;
    failed(err);
    if (res.headersSent) {
      call.outcome = 'broken';
      breakOff(res);
      return;
    }
    const detail = 'The forwarder cannot be reached, or went away during the call.';
    refuse(res, call, 'service_unavailable', detail, { extra });
  }

  /** Ends the call because its body does not come. */
  late(): void {
    const { res, call, extra } = this.#options;
    if (!this.#over) refuse(res, call, 'request_timeout', 'The body took too long.', { extra });
  }

  /** Ends the call because its identity has ended. */
  cut(): void {
    const { res, call } = this.#options;
    if (this.#over) return;
    this.#abort();
    if (!res.headersSent) refuse(res, call, 'unauthorized', 'The credential was revoked during the call.');
    else if (!res.writableEnded) {
      call.outcome = 'revoked';
      breakOff(res);
    }
  }

  #pause(): void {
    const { res, call } = this.#options;
    this.#call?.pause();
    this.#stalled = setTimeout(() => {
      call.outcome = 'stalled';
      breakOff(res);
    }, STALLED_MS);
    res.once('drain', this.#resume);
  }

  #drained(): void {
    clearTimeout(this.#stalled);
    this.#call?.resume();
  }

  #close(): void {
    const { res, call, identity, done } = this.#options;
    this.#over = true;
    clearTimeout(this.#stalled);
    identity.live.remove(this);
    if (!res.writableFinished) {
      call.outcome ??= 'aborted';
      this.#abort();
    }
    done();
  }

  #abort(): void {
    this.#call?.abort();
    this.#call = undefined;
  }
}

const flushAlone = (relay: Relay, length: number): void => relay.flushAlone(length);
