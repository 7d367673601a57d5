import type { ProblemCode } from '@zeq/contracts';

/** What a client says itself, beside the codes of the mesh. */
export type ClientErrorCode =
  | 'network_failed'
  | 'timed_out'
  | 'answer_invalid'
  | 'answer_cut_off'
  | 'hite_truncated'
  | 'invalid_argument'
  | 'clock_not_followed';

export interface ZeqErrorFacts {
  /** HTTP status; 0 where there was no answer. */
  status: number;
  /** Stable; match this. A newer mesh may say codes that this version does not list. */
  code: ProblemCode | ClientErrorCode | (string & {});
  /** For people; repeats no secret. */
  detail: string;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** Further members of the problem document, such as `correctionMs`. */
  members?: Readonly<Record<string, unknown>>;
}

/** The one error of this package: whatever the mesh refused, and whatever kept an answer from coming. */
export class ZeqError extends Error {
  override name = 'ZeqError';
  declare readonly status: number;
  declare readonly code: string;
  declare readonly detail: string;
  declare readonly requestId: string | undefined;
  declare readonly retryAfterSeconds: number | undefined;
  declare readonly members: Readonly<Record<string, unknown>>;

  constructor({ status, code, detail, requestId, retryAfterSeconds, members = {} }: ZeqErrorFacts) {
    super(`${detail} (${status === 0 ? code : `${code}, ${status}`})`);
    Object.assign(this, { status, code, detail, requestId, retryAfterSeconds, members });
  }
}

/** An argument that could not be sent. The message names it and shows no value. */
export const invalidArgument = (detail: string): ZeqError =>
  new ZeqError({ status: 0, code: 'invalid_argument', detail });
