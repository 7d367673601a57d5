import type { IncomingHttpHeaders } from 'node:http';
import type { CallRecord } from './call-record.ts';
import { type ModelTokens, observeTokens } from './model-tokens.ts';

/** What of an answer is accounted for. It looks on and holds nothing. */
export class AnswerMeter {
  /** Bytes of body that have come, packed as they were. */
  bytes = 0;
  #tokens: ModelTokens | undefined;

  /** @param isReadable Whether what follows comes to `read` unpacked. */
  begin(status: number, headers: IncomingHttpHeaders, isReadable: boolean): void {
    if (isReadable) this.#tokens = observeTokens(status, headers);
  }

  /** Bytes of body, unpacked. */
  read(bytes: Buffer): void {
    this.#tokens?.chunk(bytes);
  }

  measure(record: CallRecord): void {
    record.bytesOut = this.bytes;
    if (this.#tokens === undefined) return;
    record.tokensIn = this.#tokens.input;
    record.tokensOut = this.#tokens.output;
  }
}
