import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { requestIdOf, type Trace, traceOf } from '@zeq/service-kit';
import { InnerSocket } from '../hite/inner-socket.ts';
import type { ClientAddresses } from '../limits/client-address.ts';
import type { Refusal, RequestGuard } from './request-guard.ts';
import { RequestHeaders } from './request-headers.ts';

declare module 'node:http' {
  interface IncomingMessage {
    /** What the gateway knows of a request; set before anything else looks at it. */
    call?: Call;
  }
}

/** One request on its way through the gateway, and what its log line will say. */
export class Call {
  readonly id: string;
  readonly trace: Trace;
  readonly startedAt = performance.now();
  readonly method: string;
  readonly headers: RequestHeaders;
  /** The address it counts for. */
  readonly address: string;
  /** It came in a frame of the HITE channel. */
  readonly sealed: boolean;
  route = 'unmatched';
  who = '-';
  outcome: string | undefined;

  constructor(req: IncomingMessage, addresses: ClientAddresses) {
    this.method = req.method ?? '';
    this.headers = new RequestHeaders(req.rawHeaders, req.url ?? '');
    this.id = requestIdOf(this.headers.requestId);
    this.trace = traceOf(this.headers.traceparent, this.headers.tracestate);
    this.address = addresses.keyOf(req.socket as Socket, this.headers.forwardedFor);
    this.sealed = req.socket instanceof InnerSocket;
  }

  refusedBy(guard: RequestGuard, req: IncomingMessage): Refusal | undefined {
    return guard.refuse({
      method: this.method,
      target: req.url ?? '',
      httpVersion: req.httpVersion,
      rawLength: req.rawHeaders.length,
      headers: this.headers,
    });
  }
}
