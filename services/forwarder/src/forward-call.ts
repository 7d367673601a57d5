import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { ProblemError, requestIdOf } from '@zeq/service-kit';
import { answerProblem } from './answer-problem.ts';
import { describeDecision } from './decide.ts';
import { callerGone } from './exchange.ts';
import type { ForwardDeps } from './forward.ts';
import { type ForwardCaller, identify } from './identity.ts';
import type { Passage, PassageHandler } from './passage.ts';
import { Relay } from './relay.ts';
import { type RequestHead, readRequestHead } from './request-head.ts';
import { upstreamHeaders } from './request-headers.ts';
import type { ForwardTarget } from './request-target.ts';
import { COLLECT_UP_TO, collectBody, discardBody, tooLarge, UploadBody } from './upload.ts';

const TICK_MS = 1_000;

/** One forwarded request, from its head to the end of its answer. */
export class ForwardCall implements PassageHandler {
  protected readonly deps: ForwardDeps;
  protected readonly req: IncomingMessage;
  protected readonly res: ServerResponse;
  protected readonly head: RequestHead;
  protected readonly requestId: string;
  protected readonly startedAt = performance.now();
  protected passage: Passage | undefined;
  protected relay: Relay | undefined;
  #caller: ForwardCaller | undefined;
  #upload: UploadBody | undefined;
  #collectingMs = 0;
  #collecting = false;
  #outcome: string | undefined;
  #ended = false;

  constructor(deps: ForwardDeps, req: IncomingMessage, res: ServerResponse) {
    this.deps = deps;
    this.req = req;
    this.res = res;
    this.head = readRequestHead(req.rawHeaders);
    this.requestId = requestIdOf(this.head.requestId);
    res.on('close', () => this.#onClose());
  }

  async run(target: ForwardTarget): Promise<void> {
    try {
      this.#caller = identify(this.deps.verifier, this.head.serviceToken, 'forward', target.slug);
      const ask = {
        caller: this.#caller,
        ref: target.ref,
        method: this.req.method!,
        rest: target.rest,
        hops: this.head.hops,
      };
      this.passage = await this.deps.outbound.admit(ask, this.startedAt);
      this.passage.attach(this);
      if (this.#ended) return this.passage.release(); // the caller left meanwhile
      const body = this.#openBody(this.passage);
      this.send(body instanceof Promise ? await body : body);
    } catch (err) {
      this.fail(err);
    }
  }

  /** Sends the request on, unless its caller has left meanwhile. */
  protected send(body: Buffer | Readable | null): void {
    if (this.#ended || this.passage === undefined) return;
    this.relay = this.buildRelay(this.passage);
    this.relay.send({ headers: this.#headers(this.passage), body });
  }

  protected buildRelay(passage: Passage): Relay {
    return new Relay(passage, this.res, {
      pools: this.deps.pools,
      startedAt: this.startedAt,
      requestId: this.requestId,
      fail: (err) => this.fail(err),
    });
  }

  cut(problem: ProblemError): void {
    this.fail(problem);
    this.relay?.cancel(problem);
  }

  tick(): void {
    this.#upload?.tick(TICK_MS);
    if (!this.#collecting || this.passage === undefined) return;
    this.#collectingMs += TICK_MS;
    if (this.#collectingMs >= this.passage.decision.limits.idle_timeout_ms)
      this.fail(new ProblemError('request_timeout', 'The body did not come in time.'));
  }

  /** Answers with a problem; where the head has gone, the connection breaks, so that nobody takes a part for the whole. */
  protected fail(err: unknown): void {
    const { res, req } = this;
    if (this.#outcome !== undefined) return;
    this.#outcome = answerProblem(res, err, this.requestId, this.deps.log, this.head.expectsContinue);
    discardBody(req);
  }

  #headers(passage: Passage): string[] {
    const headers = upstreamHeaders(this.head, passage.decision.api);
    // undici states the length of a collected body itself
    if (this.#upload !== undefined && this.head.contentLength !== undefined)
      headers.push('content-length', String(this.head.contentLength));
    return headers;
  }

  #openBody({ decision: { limits } }: Passage): Promise<Buffer> | Readable | null {
    const { contentLength = 0, chunked } = this.head;
    if (contentLength === 0 && !chunked) return null;
    if (contentLength > limits.max_body_bytes) throw tooLarge(limits.max_body_bytes);
    if (!chunked && contentLength <= COLLECT_UP_TO) return this.#collect();
    this.#upload = new UploadBody(this.req, {
      maxBytes: limits.max_body_bytes,
      idleMs: limits.idle_timeout_ms,
      onStart: () => this.#continue(),
    });
    return this.#upload;
  }

  #collect(): Promise<Buffer> {
    this.#collecting = true;
    this.#continue();
    return collectBody(this.req).finally(() => {
      this.#collecting = false;
    });
  }

  #continue(): void {
    if (this.head.expectsContinue) this.res.writeContinue();
  }

  #onClose(): void {
    this.#outcome ??= this.res.writableFinished ? 'ok' : 'aborted';
    if (!this.res.writableFinished) this.relay?.cancel(callerGone());
    this.end(this.#outcome);
  }

  /** The one end of every call. @param status Of an answer that was not written through `res`. */
  protected end(outcome: string, status = this.res.headersSent ? this.res.statusCode : 0): void {
    if (this.#ended) return;
    this.#ended = true;
    this.passage?.release();
    this.#upload?.destroy();
    const { metrics, accessLog } = this.deps;
    metrics.ended(outcome);
    accessLog.write({
      requestId: this.requestId,
      method: this.req.method!,
      route: '/api/zeq/apis/:slug/:id/forward/*',
      status,
      ms: performance.now() - this.startedAt,
      who: this.#caller === undefined ? 'anonymous' : `${this.#caller.kind}:${this.#caller.slug}`,
      outcome: outcome === 'ok' ? undefined : outcome,
      decision: this.passage === undefined ? undefined : describeDecision(this.passage.decision),
    });
  }
}
