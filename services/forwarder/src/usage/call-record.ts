import type { CallKind, CallOutcome, ProblemCode } from '@zeq/contracts';
import type { ForwardCaller } from '../decision/identity.ts';
import type { LeasedApi } from '../leases/leased-api.ts';

/** Status classes by their first digit; 0: no answer. */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** What is counted of a call that has ended. */
export type EndedCall = Pick<
  CallRecord,
  | 'kind'
  | 'sent'
  | 'status'
  | 'outcome'
  | 'code'
  | 'bytesIn'
  | 'bytesOut'
  | 'tokensIn'
  | 'tokensOut'
  | 'durationMs'
  | 'endedAt'
>;

/** How sockets end that the mesh cuts, as problem codes. */
const SOCKET_ENDS: Record<string, ProblemCode> = { revoked: 'unauthorized', idle: 'request_timeout' };

/**
 * What becomes of one call, noted as it goes on: the only thing that accounting allocates for it. It holds no header and no body;
 * its path is cleaned before it leaves this process.
 */
export class CallRecord {
  readonly kind: CallKind;
  readonly caller: ForwardCaller;
  readonly method: string;
  /** Path and query as the caller sent them. */
  readonly rest: string;
  readonly requestId: string;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Known as soon as there is a lease; what has none belongs to no API and is counted nowhere. */
  api: LeasedApi | undefined;
  /** Requests that went out to the upstream. */
  sent = 0;
  /** 0: none. */
  status = 0;
  outcome: CallOutcome = 'ok';
  code: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  /** Model tokens; -1: not stated. */
  tokensIn = -1;
  tokensOut = -1;
  durationMs = 0;
  /** Of the end, in ms since 1970. */
  endedAt = 0;

  constructor(
    kind: CallKind,
    caller: ForwardCaller,
    method: string,
    rest: string,
    requestId: string,
    startedAt: number,
  ) {
    this.kind = kind;
    this.caller = caller;
    this.method = method;
    this.rest = rest;
    this.requestId = requestId;
    this.startedAt = startedAt;
  }

  /** @param outcome `ok`, `aborted`, or the problem code with which the mesh answered or broke off. */
  end(outcome: string, status: number, hadBegun: boolean): void {
    this.status = status;
    if (outcome === 'ok' || outcome === 'aborted') this.outcome = outcome;
    else {
      this.outcome = hadBegun || status === 101 ? 'broken' : 'refused';
      this.code = SOCKET_ENDS[outcome] ?? outcome;
    }
  }
}
