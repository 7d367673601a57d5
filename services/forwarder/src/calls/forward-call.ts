import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { CallKind } from '@zeq/contracts';
import { ProblemError, requestIdOf, traceIdIn } from '@zeq/service-kit';
import { answerProblem } from '../answer/answer-problem.ts';
import { Relay, type RelayedCall } from '../answer/relay.ts';
import { describeDecision } from '../decision/decide.ts';
import { type ForwardCaller, identify } from '../decision/identity.ts';
import type { Passage, PassageHandler } from '../decision/passage.ts';
import { type RequestHead, readRequestHead } from '../request/request-head.ts';
import { upstreamHeaders } from '../request/request-headers.ts';
import type { ForwardTarget } from '../request/request-target.ts';
import { COLLECT_UP_TO, collectBody, discardBody, tooLarge, UploadBody } from '../request/upload.ts';
import { callerGone } from '../upstream/exchange.ts';
import { CallRecord } from '../usage/call-record.ts';
import type { ForwardDeps } from './forward.ts';

const TICK_MS = 1_000;

/** One forwarded request, from its head to the end of its answer. */
export class ForwardCall implements PassageHandler, RelayedCall {
  protected readonly deps: ForwardDeps;
  protected readonly req: IncomingMessage;
  readonly res: ServerResponse;
  protected readonly head: RequestHead;
  readonly requestId: string;
  readonly startedAt = performance.now();
  protected readonly kind: CallKind = 'call';
  protected passage: Passage | undefined;
  protected relay: Relay | undefined;
  #caller: ForwardCaller | undefined;
  /** Of a call whose caller is known. */
  #record: CallRecord | undefined;
  #upload: UploadBody | undefined;
  #collectingMs = 0;
  #collecting = false;
  #collectedBytes = 0;
  #outcome: string | undefined;
  /** The answer had begun when it failed. */
  #brokeOff = false;
  #ended = false;

  constructor(deps: ForwardDeps, req: IncomingMessage, res: ServerResponse) {
    this.deps = deps;
    this.req = req;
    this.res = res;
    this.head = readRequestHead(req.rawHeaders);
    this.requestId = requestIdOf(this.head.requestId);
    res.on('close', () => this.#onClose());
  }

  run(target: ForwardTarget): void {
    try {
      this.#caller = identify(this.deps.verifier, this.head.serviceToken, 'forward', target.slug);
      const method = this.req.method!;
      const { ref, rest } = target;
      const record = new CallRecord(this.kind, this.#caller, method, rest, this.requestId, this.startedAt);
      this.#record = record;
      const ask = { caller: this.#caller, ref, method, rest, hops: this.head.hops, record };
      const passage = this.deps.outbound.admit(ask, this.startedAt);
      if (passage instanceof Promise) passage.then((late) => this.#go(late)).catch((err) => this.fail(err));
      else this.#go(passage);
    } catch (err) {
      this.fail(err);
    }
  }

  #go(passage: Passage): void {
    if (this.#ended) {
      passage.release(); // the caller left meanwhile
      return;
    }
    this.passage = passage;
    passage.attach(this);
    const { max_body_bytes: maxBytes, idle_timeout_ms: idleMs } = passage.decision.limits;
    const { contentLength = 0, chunked } = this.head;
    if (contentLength > maxBytes) throw tooLarge(maxBytes);
    if (contentLength === 0 && !chunked) this.send(null);
    else if (!chunked && contentLength <= COLLECT_UP_TO) this.#collect(contentLength);
    else {
      this.#upload = new UploadBody(this.req, { maxBytes, idleMs, onStart: () => this.#continue() });
      this.send(this.#upload);
    }
  }

  #collect(length: number): void {
    this.#collecting = true;
    this.#continue();
    collectBody(this.req, length, (body) => {
      this.#collecting = false;
      this.#collectedBytes = body.length;
      if (!this.#ended && this.#outcome === undefined) this.#sendSafely(body);
    });
  }

  /** From an event, where nobody would catch. */
  #sendSafely(body: Buffer): void {
    try {
      this.send(body);
    } catch (err) {
      this.fail(err);
    }
  }

  protected send(body: Buffer | Readable | null): void {
    this.relay = new Relay(this.passage!, this.deps.pools, this);
    this.relay.send({ headers: this.#headers(this.passage!), body });
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
  fail(err: unknown): void {
    const { res } = this;
    if (this.#outcome !== undefined) return;
    this.#brokeOff = res.headersSent;
    this.#outcome = answerProblem(res, err, this.requestId, this.deps.log, this.head.expectsContinue);
  }

  #headers(passage: Passage): string[] {
    const headers = upstreamHeaders(this.head, passage.decision);
    // undici states the length of a collected body itself
    if (this.#upload !== undefined && this.head.contentLength !== undefined)
      headers.push('content-length', String(this.head.contentLength));
    return headers;
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
    discardBody(this.req);
    const { metrics, accessLog } = this.deps;
    metrics.ended(outcome);
    this.#account(outcome, status);
    accessLog.write({
      requestId: this.requestId,
      traceId: traceIdIn(this.head.ownTrace ?? this.head.traceparent),
      method: this.req.method!,
      route: '/api/zeq/apis/:slug/:id/forward/*',
      status,
      ms: performance.now() - this.startedAt,
      who: this.#caller === undefined ? 'anonymous' : `${this.#caller.kind}:${this.#caller.slug}`,
      outcome: outcome === 'ok' ? undefined : outcome,
      decision: this.passage === undefined ? undefined : describeDecision(this.passage.decision),
    });
  }

  #account(outcome: string, status: number): void {
    const record = this.#record;
    if (record === undefined) return;
    record.end(outcome, status, this.#brokeOff);
    this.measure(record);
    this.deps.usage.add(record);
  }

  protected measure(record: CallRecord): void {
    record.bytesIn = this.#upload?.bytes ?? this.#collectedBytes;
    this.relay?.measure(record);
  }
}
