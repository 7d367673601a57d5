import type { RecordedCall } from '@zeq/contracts';
import type { LeasedApi } from '../leases/leased-api.ts';
import type { CallRecord } from './call-record.ts';
import { cleanPath } from './clean-path.ts';

/**
 * The latest calls that wait to be sent, at most so many: then the oldest gives way, because only the latest are kept anyway.
 * Paths are cleaned once a second and not at every call, so that a credential is opened once for all calls of its API.
 */
export class CallSpool {
  /** Calls that gave way. */
  dropped = 0;
  readonly #capacity: number;
  readonly #ring: (RecordedCall | undefined)[];
  #fresh: CallRecord[] = [];
  #first = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#ring = new Array(capacity);
  }

  get size(): number {
    return this.#size + this.#fresh.length;
  }

  add(call: CallRecord): void {
    if (this.#fresh.length >= this.#capacity) this.dropped += 1;
    else this.#fresh.push(call);
  }

  /** Makes what came since the last time fit to leave this process. */
  clean(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    const byApi = Map.groupBy(fresh, (call) => call.api!);
    const paths = new Map<CallRecord, string>();
    for (const [api, calls] of byApi) cleanAll(api, calls, paths);
    for (const call of fresh) this.#push(toWire(call, paths.get(call)!));
  }

  /** Takes up to so many of the oldest out. */
  take(limit: number): RecordedCall[] {
    const taken: RecordedCall[] = [];
    while (taken.length < limit && this.#size > 0) {
      taken.push(this.#ring[this.#first]!);
      this.#forgetFirst();
    }
    return taken;
  }

  #push(call: RecordedCall): void {
    if (this.#size === this.#capacity) {
      this.#forgetFirst();
      this.dropped += 1;
    }
    this.#ring[(this.#first + this.#size) % this.#capacity] = call;
    this.#size += 1;
  }

  #forgetFirst(): void {
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#capacity;
    this.#size -= 1;
  }
}

function cleanAll(
  { secrets }: LeasedApi,
  calls: readonly CallRecord[],
  paths: Map<CallRecord, string>,
): void {
  const matcher = secrets?.acquire();
  for (const call of calls) paths.set(call, cleanPath(call.rest, matcher));
  if (matcher !== undefined) secrets?.release();
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
const stated = (tokens: number): number | null => (tokens < 0 ? null : tokens);

const toWire = (call: CallRecord, path: string): RecordedCall => ({
  api_id: call.api!.lease.api_id,
  at: Math.trunc(call.endedAt - call.durationMs),
  kind: call.kind,
  caller_id: call.caller.kind === 'app' ? call.caller.token_id : call.caller.key_id,
  method: call.method.slice(0, 20),
  path,
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
