import type { ZeqError } from '../client/zeq-error.ts';

/** What a script can tell from the exit code. `zeq --help` and docs/sdk.md list them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  serverError: 5,
  notVerified: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_TEXTS: readonly [ExitCode, string][] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed on this machine (a file, a terminal)'],
  [EXIT.usage, 'the command line or a setting is wrong'],
  [EXIT.unreachable, 'the mesh cannot be reached, or not in time'],
  [EXIT.refused, 'an answer of 400 to 499'],
  [EXIT.serverError, 'an answer of 500 and more'],
  [EXIT.notVerified, 'what was checked does not hold: a tick, a message, a file, a HITE answer, the record'],
  [EXIT.interrupted, 'interrupted'],
];

const NOT_VERIFIED = ['hite_truncated', 'hite_frame_refused', 'plat_invalid', 'answer_cut_off'];

/** The code of a status that an upstream or the mesh answered. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status >= 500) return EXIT.serverError;
  return status >= 400 ? EXIT.refused : EXIT.ok;
}

export function exitCodeOf(error: ZeqError): ExitCode {
  if (error.code === 'invalid_argument') return EXIT.usage;
  if (error.status === 0 && NOT_VERIFIED.includes(error.code)) return EXIT.notVerified;
  return error.status === 0 ? EXIT.unreachable : exitCodeOfStatus(error.status) || EXIT.unreachable;
}

/** Something is wrong with the command line or a setting; said as it is, without a trace. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Something went wrong that is no fault of this program. */
export class CommandError extends Error {
  override name = 'CommandError';
  declare readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    Object.defineProperty(this, 'exitCode', { value: exitCode });
  }
}
