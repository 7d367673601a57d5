import type { RecordedCall } from '@zeq/contracts';
import type { LeasedApi } from '../leases/leased-api.ts';
import type { Matcher } from '../redaction/matcher.ts';
import type { CallRecord } from './call-record.ts';
import { cleanPath } from './clean-path.ts';

/** A call that has ended, and what of it may leave this process. */
export interface CleanCall {
  call: CallRecord;
  recorded: RecordedCall;
}

/**
 * Calls that ended in this turn of the event loop, before their paths were cleaned. The forms of a credential are held from the first
 * call of its API on: they are open then for the search of its answer, so that cleaning opens nothing by itself.
 */
export class FreshCalls {
  #calls: CallRecord[] = [];
  readonly #matchers = new Map<LeasedApi, Matcher | undefined>();

  get size(): number {
    return this.#calls.length;
  }

  add(call: CallRecord): void {
    const api = call.api!;
    if (!this.#matchers.has(api)) this.#matchers.set(api, api.secrets?.acquire());
    this.#calls.push(call);
  }

  /** Takes all of them out, in their order. */
  take(): CleanCall[] {
    const calls = this.#calls.map((call) => ({
      call,
      recorded: toRecorded(call, this.#matchers.get(call.api!)),
    }));
    for (const [{ secrets }, matcher] of this.#matchers) if (matcher !== undefined) secrets?.release();
    this.#matchers.clear();
    this.#calls = [];
    return calls;
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
const stated = (tokens: number): number | null => (tokens < 0 ? null : tokens);

const toRecorded = (call: CallRecord, secrets: Matcher | undefined): RecordedCall => ({
  api_id: call.api!.lease.api_id,
  at: Math.trunc(call.endedAt - call.durationMs),
  kind: call.kind,
  caller_id: call.caller.kind === 'app' ? call.caller.token_id : call.caller.key_id,
  method: call.method.slice(0, 20),
  path: cleanPath(call.rest, secrets),
  status: call.status,
  outcome: call.outcome,
  code: call.code,
  duration_ms: round(call.durationMs),
  bytes_in: call.bytesIn,
  bytes_out: call.bytesOut,
  tokens_in: stated(call.tokensIn),
  tokens_out: stated(call.tokensOut),
  request_id: call.requestId,
});
