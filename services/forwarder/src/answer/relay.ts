import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { ProblemError } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import type { Passage } from '../decision/passage.ts';
import { redactHeaders } from '../redaction/redact-headers.ts';
import { Redactor } from '../redaction/redactor.ts';
import { searchHead } from '../redaction/search-answer.ts';
import { Unpacker, type UnpackSink } from '../redaction/unpack.ts';
import { Exchange } from '../upstream/exchange.ts';
import type { Pools } from '../upstream/pools.ts';
import { AnswerMeter } from '../usage/answer-meter.ts';
import type { CallRecord } from '../usage/call-record.ts';
import { callerHeaders, type ResponseHead, requirePlainTransfer } from './response-headers.ts';

/** More interim answers than this are an attack on our time. */
const MAX_INTERIM = 32;

/** The call that a relay answers. */
export interface RelayedCall {
  readonly res: ServerResponse;
  /** Monotonic ms of the request's arrival. */
  readonly startedAt: number;
  readonly requestId: string;
  /** Answers with a problem, or breaks the answer off visibly if its head has gone. */
  fail(err: unknown): void;
}

/** Streams an upstream's answer to the caller as it comes, with backpressure, but for the credential if it is in there. */
export class Relay extends Exchange {
  readonly #res: ServerResponse;
  readonly #call: RelayedCall;
  readonly #meter = new AnswerMeter();
  #interim = 0;
  #controller: Dispatcher.DispatchController | undefined;
  /** Bytes of body that are still to come, where the upstream stated a length. */
  #left: number | undefined;
  #wrote = false;
  #redactor: Redactor | undefined;
  /** Stands before the redactor when the upstream packed its answer. */
  #unpacker: Unpacker | undefined;
  #trailers: string[] = [];

  constructor(passage: Passage, pools: Pools, call: RelayedCall) {
    super(passage, pools);
    this.#call = call;
    this.#res = call.res;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) this.#countInterim();
    else this.#sendHead(controller, status, headers);
  }

  #sendHead(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#controller = controller;
    const res = this.#res;
    requirePlainTransfer(headers);
    const head = callerHeaders(headers, this.passage.decision.limits.allowed_response_headers);
    const withBody = hasBody(this.passage.decision.method, status);
    this.#search(head, status, headers, withBody);
    this.#addOwn(head.headers);
    res.sendDate = !head.hasDate;
    res.writeHead(status, head.headers); // throws for a status or header that is not valid
    this.began();
    this.awaitBody(controller);
    const isPacked = headers['content-encoding'] !== undefined;
    this.#meter.begin(status, headers, !isPacked || this.#unpacker !== undefined);
    if (withBody) this.#left = head.contentLength;
    process.nextTick(flushHead, this);
  }

  #search(head: ResponseHead, status: number, headers: IncomingHttpHeaders, withBody: boolean): void {
    const { secrets } = this.passage;
    if (secrets === undefined) return;
    if (!withBody) {
      redactHeaders(head.headers, secrets);
      return;
    }
    const encodings = searchHead(head, status, headers, secrets);
    this.#redactor = new Redactor(secrets);
    if (encodings.length > 0) this.#unpacker = new Unpacker(encodings, this.#unpacked());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.heard();
    this.#meter.bytes += chunk.length;
    if (this.#unpacker !== undefined) {
      if (!this.#unpacker.write(chunk)) controller.pause();
      return;
    }
    if (this.#left !== undefined) this.#left -= chunk.length;
    if (this.#left === 0)
      this.#end(chunk); // one write less than end() after write()
    else this.#write(this.#redactor === undefined ? chunk : this.#redactor.push(chunk));
    this.#meter.read(chunk);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.settle();
    const { headers } = callerHeaders(trailers, []);
    if (headers.length > 0 && this.passage.secrets !== undefined)
      redactHeaders(headers, this.passage.secrets);
    this.#trailers = headers;
    if (this.#unpacker === undefined) this.#end();
    else this.#unpacker.end();
  }

  /** Says what went out and what came back. */
  measure(record: CallRecord): void {
    record.sent = this.sent;
    this.#meter.measure(record);
  }

  override cancel(reason: Error): void {
    this.#unpacker?.destroy();
    super.cancel(reason);
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#wrote = true;
    if (this.#res.write(bytes)) return;
    const source = this.#unpacker ?? this.#controller;
    source?.pause();
    this.#res.once('drain', this.#resume);
  }

  #end(last?: Buffer): void {
    const res = this.#res;
    if (res.writableEnded) return;
    const bytes = this.#redactor === undefined ? last : this.#redactor.end(last);
    this.#wrote = true;
    if (this.#trailers.length > 0) res.addTrailers(pairs(this.#trailers));
    if (bytes === undefined || bytes.length === 0) res.end();
    else res.end(bytes);
  }

  #unpacked(): UnpackSink {
    return {
      data: (bytes) => {
        this.#write(this.#redactor!.push(bytes));
        this.#meter.read(bytes);
      },
      drain: () => this.#resumeUpstream(),
      end: () => this.#end(),
      fail: (problem) => {
        this.#call.fail(problem);
        this.cancel(problem);
      },
    };
  }

  protected override failed(err: unknown): void {
    this.#call.fail(err);
  }

  /** A stream's head must not wait for its body; a body that came in the same packet goes with it. */
  flushHead(): void {
    if (!this.#wrote && !this.#res.writableEnded) this.#res.flushHeaders();
  }

  readonly #resume = (): void => {
    if (this.#unpacker === undefined) this.#resumeUpstream();
    else this.#unpacker.resume();
  };

  #resumeUpstream(): void {
    this.heard();
    this.#controller?.resume();
  }

  #countInterim(): void {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM)
      throw new ProblemError('upstream_invalid', 'The upstream sends interim answers without end.');
  }

  #addOwn(headers: string[]): void {
    const now = performance.now();
    const ours = this.sentAt - this.#call.startedAt;
    headers.push(
      'Server-Timing',
      `forwarder;dur=${ours.toFixed(3)}, upstream;dur=${(now - this.sentAt).toFixed(3)}`,
      'X-Zeq-Request-Id',
      this.#call.requestId,
      'X-Content-Type-Options',
      'nosniff',
    );
  }
}

const flushHead = (relay: Relay): void => relay.flushHead();

const hasBody = (method: string, status: number): boolean =>
  method !== 'HEAD' && status !== 204 && status !== 304;

function pairs(flat: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) out.push([flat[i]!, flat[i + 1]!]);
  return out;
}
