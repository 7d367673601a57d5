import { histogramIndex, type UsageMinute } from '@zeq/contracts';
import { type EndedCall, STATUS_CLASSES } from './call-record.ts';

type Counts = Map<string | number, number>;

/** The calls of one API that ended in one minute. Counting one more allocates nothing, once its kind was seen. */
export class MinuteTally {
  readonly apiId: string;
  /** Minutes since 1970. */
  minute: number;
  #requests = 0;
  #sent = 0;
  #errors = 0;
  #aborted = 0;
  #websockets = 0;
  #tests = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #tokensIn = 0;
  #tokensOut = 0;
  readonly #status = new Float64Array(STATUS_CLASSES.length);
  readonly #refused: Counts = new Map();
  readonly #latency: Counts = new Map();

  constructor(apiId: string, minute: number) {
    this.apiId = apiId;
    this.minute = minute;
  }

  add(call: EndedCall): void {
    this.#requests += 1;
    this.#sent += call.sent;
    this.#status[Math.min(5, Math.floor(call.status / 100))]! += 1;
    if (call.status >= 400 || call.outcome === 'broken') this.#errors += 1;
    if (call.outcome === 'aborted') this.#aborted += 1;
    if (call.code !== null) count(this.#refused, call.code, 1);
    if (call.kind === 'websocket') this.#websockets += 1;
    else if (call.sent > 0) count(this.#latency, histogramIndex(call.durationMs), 1);
    if (call.kind === 'test') this.#tests += 1;
    this.#bytesIn += call.bytesIn;
    this.#bytesOut += call.bytesOut;
    this.#tokensIn += Math.max(0, call.tokensIn);
    this.#tokensOut += Math.max(0, call.tokensOut);
  }

  /** Takes another one's counts in. */
  merge(other: MinuteTally): void {
    this.#requests += other.#requests;
    this.#sent += other.#sent;
    this.#errors += other.#errors;
    this.#aborted += other.#aborted;
    this.#websockets += other.#websockets;
    this.#tests += other.#tests;
    this.#bytesIn += other.#bytesIn;
    this.#bytesOut += other.#bytesOut;
    this.#tokensIn += other.#tokensIn;
    this.#tokensOut += other.#tokensOut;
    other.#status.forEach((n, i) => {
      this.#status[i]! += n;
    });
    for (const [code, n] of other.#refused) count(this.#refused, code, n);
    for (const [index, n] of other.#latency) count(this.#latency, index, n);
  }

  get requests(): number {
    return this.#requests;
  }

  toWire(): UsageMinute {
    const status = Object.fromEntries(STATUS_CLASSES.map((name, i) => [name, this.#status[i]!]));
    return {
      api_id: this.apiId,
      minute: this.minute,
      requests: this.#requests,
      sent: this.#sent,
      status: status as UsageMinute['status'],
      errors: this.#errors,
      aborted: this.#aborted,
      refused: Object.fromEntries(this.#refused),
      websockets: this.#websockets,
      tests: this.#tests,
      bytes_in: this.#bytesIn,
      bytes_out: this.#bytesOut,
      latency: Object.fromEntries(this.#latency),
      tokens_in: this.#tokensIn,
      tokens_out: this.#tokensOut,
    };
  }
}

const count = (counts: Counts, name: string | number, n: number): void =>
  void counts.set(name, (counts.get(name) ?? 0) + n);
