import type { IncomingHttpHeaders } from 'node:http';
import type { TestCall } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Dispatcher } from 'undici';
import { callerHeaders, requirePlainTransfer } from '../answer/response-headers.ts';
import { Redactor } from '../redaction/redactor.ts';
import { searchHead } from '../redaction/search-answer.ts';
import { Unpacker } from '../redaction/unpack.ts';
import { readRequestHead } from '../request/request-head.ts';
import { upstreamHeaders } from '../request/request-headers.ts';
import { Exchange } from '../upstream/exchange.ts';
import { AnswerMeter } from '../usage/answer-meter.ts';
import type { CallRecord } from '../usage/call-record.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** A test is watched by a person: it waits less long than a call (ms). */
const DEADLINE_MS = 60_000;

/** What the upstream answered, without the credential. */
export interface TestAnswer {
  status: number;
  /** Raw pairs. */
  headers: string[];
  body: Buffer;
  truncated: boolean;
}

/** One request whose answer is collected, as far as a person would read it. */
export class TestExchange extends Exchange {
  readonly #answer = Promise.withResolvers<TestAnswer>();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #meter = new AnswerMeter();
  #bytesIn = 0;
  #status = 0;
  #headers: string[] = [];
  #redactor: Redactor | undefined;
  #unpacker: Unpacker | undefined;

  /** @throws ProblemError when no answer comes, or not in time, or one that cannot be searched. */
  async run(test: TestCall): Promise<TestAnswer> {
    const late = new ProblemError('upstream_timeout', 'The upstream took longer than a test waits.');
    const timer = setTimeout(() => this.#stop(late), DEADLINE_MS);
    try {
      this.passage.attach({ cut: (problem) => this.#stop(problem) });
      const { headers, body } = requestOf(test);
      this.#bytesIn = body?.length ?? 0;
      this.send({ headers: upstreamHeaders(readRequestHead(headers), this.passage.decision), body });
      return await this.#answer.promise;
    } finally {
      clearTimeout(timer);
      this.passage.release();
    }
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    requirePlainTransfer(headers);
    const head = callerHeaders(headers, this.passage.decision.limits.allowed_response_headers);
    const { secrets } = this.passage;
    if (secrets !== undefined) {
      const encodings = searchHead(head, status, headers, secrets);
      this.#redactor = new Redactor(secrets);
      if (encodings.length > 0) this.#unpacker = this.#unpack(encodings);
    }
    this.began();
    this.awaitBody(controller);
    const isPacked = headers['content-encoding'] !== undefined;
    this.#meter.begin(status, headers, !isPacked || this.#unpacker !== undefined);
    this.#status = status;
    this.#headers = head.headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.heard();
    this.#meter.bytes += chunk.length;
    if (this.#unpacker === undefined) {
      this.#meter.read(chunk);
      this.#keep(this.#redactor?.push(chunk) ?? chunk);
    } else this.#unpacker.write(chunk); // what is too much ends the exchange
  }

  onResponseEnd(): void {
    this.settle();
    if (this.#unpacker === undefined) this.#finish();
    else this.#unpacker.end();
  }

  /** Says what went out and what came back. */
  measure(record: CallRecord): void {
    record.sent = this.sent;
    record.bytesIn = this.#bytesIn;
    this.#meter.measure(record);
  }

  protected failed(err: unknown): void {
    this.#answer.reject(err);
  }

  #unpack(encodings: ConstructorParameters<typeof Unpacker>[0]): Unpacker {
    return new Unpacker(encodings, {
      data: (bytes) => {
        this.#meter.read(bytes);
        this.#keep(this.#redactor!.push(bytes));
      },
      drain: () => undefined,
      end: () => this.#finish(),
      fail: (problem) => this.#stop(problem),
    });
  }

  #keep(bytes: Buffer): void {
    const room = MAX_BODY_BYTES - this.#bytes;
    this.#bytes += bytes.length;
    if (room > 0) this.#chunks.push(bytes.subarray(0, room));
    if (this.#bytes > MAX_BODY_BYTES) this.#resolve();
  }

  #finish(): void {
    if (this.#redactor !== undefined) this.#keep(this.#redactor.end());
    this.#resolve();
  }

  #resolve(): void {
    const truncated = this.#bytes > MAX_BODY_BYTES;
    const body = Buffer.concat(this.#chunks);
    this.#answer.resolve({ status: this.#status, headers: this.#headers, body, truncated });
    if (truncated) this.#stop(new ProblemError('bad_request', 'The test has seen enough.'));
  }

  #stop(problem: ProblemError): void {
    this.#answer.reject(problem);
    this.#unpacker?.destroy();
    this.cancel(problem);
  }
}

/** A test's headers and body as they would come from a caller. */
function requestOf(test: TestCall): { headers: string[]; body: Buffer | null } {
  const headers = Object.entries(test.headers ?? {}).flat();
  if (test.body === undefined) return { headers, body: null };
  const isText = typeof test.body === 'string';
  const named = Object.keys(test.headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
  if (!named) headers.push('content-type', isText ? 'text/plain; charset=utf-8' : 'application/json');
  return { headers, body: Buffer.from(isText ? (test.body as string) : JSON.stringify(test.body)) };
}
