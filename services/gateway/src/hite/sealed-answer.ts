import type { ServerResponse } from 'node:http';
import {
  HITE_CONTENT_TYPE,
  type HiteInnerHead,
  PROBLEMS,
  type ProblemCode,
  toProblemDocument,
} from '@zeq/contracts';
import type { HiteResponseSealer } from '@zeq/crypto';
import type { AnswerSink } from '../link/answer-parser.ts';

/** Lines of a hop that does not exist. */
const OF_THE_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

export interface SealedAnswerOptions {
  /** The outer response. */
  res: ServerResponse;
  sealer: HiteResponseSealer;
  /** The head has come, or never will: the request has been used. */
  begun: () => void;
  /** The answer broke off. */
  broken: () => void;
}

/**
 * Seals an answer as it comes: a frame for its head, one for each chunk, one for its end. An answer that breaks off takes the
 * client's connection with it, and the frame that says "this was all" is never made.
 */
export class SealedAnswer implements AnswerSink {
  readonly #options: SealedAnswerOptions;
  #over = false;

  constructor(options: SealedAnswerOptions) {
    this.#options = options;
  }

  onHead(status: number, raw: string[]): void {
    const { res, sealer, begun } = this.#options;
    begun();
    res.writeHead(200, { 'Content-Type': HITE_CONTENT_TYPE });
    res.write(sealer.head(encode({ status, headers: pairsOf(raw) })));
  }

  onData(chunk: Buffer): void {
    const { res, sealer } = this.#options;
    res.write(sealer.data(chunk));
  }

  onEnd(): void {
    const { res, sealer } = this.#options;
    this.#over = true;
    res.end(sealer.end());
  }

  /** A refusal of the mesh, sealed like any answer. */
  refuse(code: ProblemCode, detail: string, requestId: string): void {
    this.onHead(PROBLEMS[code].status, [
      ...['Content-Type', 'application/problem+json', 'Cache-Control', 'no-store'],
      ...['X-Zeq-Error', code, 'X-Request-Id', requestId],
    ]);
    this.onData(encode(toProblemDocument(code, detail, requestId)));
    this.onEnd();
  }

  /** Calls back when the client has taken enough for more. */
  whenReady(ready: () => void): void {
    const { res } = this.#options;
    if (res.writableNeedDrain && !res.writableEnded) res.once('drain', ready);
    else ready();
  }

  breakOff(): void {
    const { res, begun, broken } = this.#options;
    if (this.#over) return;
    this.#over = true;
    begun();
    if (!res.destroyed) broken();
    res.destroy();
  }
}

const encode = (value: HiteInnerHead | object): Buffer => Buffer.from(JSON.stringify(value));

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!OF_THE_HOP.has(raw[i]!.toLowerCase())) pairs.push([raw[i]!, raw[i + 1]!]);
  }
  return pairs;
}
