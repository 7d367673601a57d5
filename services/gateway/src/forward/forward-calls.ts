import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseAccess, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import {
  type Identity,
  type Logger,
  ProblemError,
  pushTrace,
  REQUEST_ID_HEADER,
  type ServiceTokenSigner,
  safeError,
} from '@zeq/service-kit';
import { accessDetail } from '../callers/access-detail.ts';
import { type Authentication, UNAUTHORIZED, type Who } from '../callers/authentication.ts';
import type { CorsPolicy } from '../control/cors-policy.ts';
import { rateHeaders } from '../limits/rate-headers.ts';
import type { RateWindow } from '../limits/rate-window.ts';
import type { LinkRequest } from '../link/connection.ts';
import type { Link } from '../link/link.ts';
import type { Call } from '../request/call.ts';
import { refuse, refuseError } from '../request/refuse.ts';
import { BodyCollector, COLLECT_BYTES } from '../request/request-body.ts';
import { FORWARD_ROUTE } from './forward-path.ts';
import { Relay } from './relay.ts';

/** Calls in flight, all together and under one key or token: memory is bounded, and no tenant takes all of it. */
const MAX_IN_FLIGHT = 10_000;
const MAX_PER_IDENTITY = 4_000;

export interface ForwardCallsDeps {
  forwarder: Link;
  authentication: Authentication;
  signer: ServiceTokenSigner;
  perAddress: RateWindow;
  cors: CorsPolicy;
  log: Logger;
  /** Whether a caller's trace goes on to upstreams. */
  traceUpstream: boolean;
  /** Told of every call at its end. */
  ended: (call: Call, status: number) => void;
}

/**
 * The lean path: a forwarded call goes from Node's HTTP server to the forwarder without Express, without parsing and without
 * asking anybody, once its caller is known.
 */
export class ForwardCalls {
  readonly #deps: ForwardCallsDeps;
  readonly #bodies = new BodyCollector();
  #inFlight = 0;

  constructor(deps: ForwardCallsDeps) {
    this.#deps = deps;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  close(): void {
    this.#bodies.close();
    this.#deps.forwarder.close();
  }

  handle(req: IncomingMessage, res: ServerResponse, call: Call, slug: string): void {
    call.route = FORWARD_ROUTE;
    const known = this.#deps.authentication.known(call.headers);
    if (known !== undefined) this.#admit(req, res, call, slug, known);
    else this.#ask(req, res, call, slug);
  }

  #ask(req: IncomingMessage, res: ServerResponse, call: Call, slug: string): void {
    this.#askFirst(req, res, call, slug).catch((err: unknown) => {
      this.#logRefusal(res, call);
      refuseError(res, call, err, this.#deps.log, this.#deps.cors.grant(call.headers.origin));
    });
  }

  async #askFirst(req: IncomingMessage, res: ServerResponse, call: Call, slug: string): Promise<void> {
    const who = await this.#deps.authentication.identify('forward', call.headers, call.address);
    if (res.destroyed) return;
    if (who.identity !== undefined) return this.#admit(req, res, call, slug, who.identity);
    this.#refuseStranger(who, call);
  }

  /** Nobody, or a platform key: counted like any call, so that trying without a token is not free. */
  #refuseStranger({ label }: Who, call: Call): never {
    call.who = label;
    const { perAddress } = this.#deps;
    if (!perAddress.hit(call.address))
      throw new ProblemError('rate_limited', 'Too many requests from this address.', {
        retryAfter: perAddress.secondsToNext(call.address),
      });
    throw new ProblemError('unauthorized', UNAUTHORIZED);
  }

  #admit(req: IncomingMessage, res: ServerResponse, call: Call, slug: string, identity: Identity): void {
    call.who = identity.who;
    const refusal = this.#refusal(call, slug, identity);
    const extra = this.#deps.cors.grant(call.headers.origin);
    if (refusal === undefined) {
      this.#forward(req, res, call, identity, extra);
      return;
    }
    this.#logRefusal(res, call);
    const { code, message, retryAfter } = refusal;
    const limits = code === 'rate_limited' ? rateHeaders(this.#deps.perAddress, call.address) : [];
    refuse(res, call, code, message, { retryAfter, extra: [...extra, ...limits] });
  }

  #refusal(call: Call, slug: string, identity: Identity): ProblemError | undefined {
    const { perAddress } = this.#deps;
    if (!perAddress.hit(call.address))
      return new ProblemError('rate_limited', 'Too many requests from this address.', {
        retryAfter: perAddress.secondsToNext(call.address),
      });
    const code = refuseAccess('forward', identity.caller, slug);
    if (code !== undefined) return new ProblemError(code, accessDetail(code));
    if (identity.live.size >= MAX_PER_IDENTITY)
      return new ProblemError('concurrency_limited', 'Too many calls at once under this token.', {
        retryAfter: 1,
      });
    if (this.#inFlight >= MAX_IN_FLIGHT)
      return new ProblemError('overloaded', 'The gateway is at its limit.');
    return undefined;
  }

  #forward(
    req: IncomingMessage,
    res: ServerResponse,
    call: Call,
    identity: Identity,
    extra: readonly string[],
  ): void {
    this.#inFlight += 1;
    const done = () => {
      this.#inFlight -= 1;
      this.#deps.ended(call, res.statusCode);
    };
    const failed = (err: Error) =>
      this.#deps.log.warn({ err: safeError(err), request_id: call.id }, 'the link to the forwarder failed');
    const relay = new Relay({ res, call, identity, extra, done, failed });
    const { contentLength, chunked, expect, target } = call.headers;
    const headers = this.#headersFor(call, identity);
    const send = (body: LinkRequest['body'], length: number) =>
      this.#deps.forwarder.send({ method: call.method, target, headers, body, length }, relay);
    if (expect !== undefined) res.writeContinue();
    if (contentLength <= 0 && !chunked) send(null, 0);
    else if (chunked || contentLength > COLLECT_BYTES) send(req, contentLength);
    else
      this.#bodies.collect({
        req,
        late: () => relay.late(),
        whole: (body) => {
          relay.restartClock();
          send(body, body.length);
        },
      });
  }

  #headersFor({ id, trace, headers }: Call, identity: Identity): string[] {
    const { kept, strangers } = headers;
    const { authentication, signer } = this.#deps;
    for (let i = 0; i < strangers.length; i += 2) {
      const value = strangers[i + 1]!;
      if (!authentication.isOurs(value)) kept.push(strangers[i]!, value);
    }
    kept.push(SERVICE_TOKEN_HEADER, signer.sign('forwarder', identity.caller, identity.serial));
    kept.push(REQUEST_ID_HEADER, id);
    pushTrace(kept, trace, this.#deps.traceUpstream);
    return kept;
  }

  #logRefusal(res: ServerResponse, call: Call): void {
    res.once('close', () => this.#deps.ended(call, res.statusCode));
  }
}
