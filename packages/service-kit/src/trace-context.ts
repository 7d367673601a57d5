import { randomHex } from './random-hex.ts';

/** W3C Trace Context (https://www.w3.org/TR/trace-context/). */
export const TRACEPARENT_HEADER = 'traceparent';
export const TRACESTATE_HEADER = 'tracestate';
/** A trace that stays within the mesh: laid out like `traceparent`, and like every `x-zeq-` header never sent on to an upstream. */
export const OWN_TRACE_HEADER = 'x-zeq-trace';

/** What a request belongs to, in the eyes of whoever collects traces. */
export interface Trace {
  /** 32 hex digits. */
  id: string;
  /** Two hex digits; the last bit says that somebody records this trace. */
  flags: string;
  /** What vendors on the way noted, as it came. */
  state: string | undefined;
  /** It was begun by the caller, and may go on to an upstream. */
  isCallers: boolean;
}

const PARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Longer ones may be dropped as a whole (section 3.3.1.5). */
const MAX_STATE_CHARS = 512;
const MEMBER =
  /^[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MAX_MEMBERS = 32;

/** The trace that a request continues, or a new one where it names none that is valid. */
export function traceOf(parent: string | undefined, state?: string): Trace {
  const fields = parent === undefined ? null : PARENT.exec(parent);
  const [, version = '', id = '', span = '', flags = '', rest] = fields ?? [];
  if (fields === null || ZEROS.test(id) || ZEROS.test(span) || (version === '00' && rest !== undefined))
    return { id: randomHex(16), flags: '00', state: undefined, isCallers: false };
  return {
    id,
    flags: version === '00' ? flags : knownFlags(flags),
    state: usableState(state),
    isCallers: true,
  };
}

/**
 * Adds the headers for the next hop to raw pairs, under a span id of its own.
 *
 * @param mayLeave Whether a caller's trace may go on to an upstream; otherwise it stays within the mesh like one of ours.
 */
export function pushTrace(headers: string[], { id, flags, state, isCallers }: Trace, mayLeave = true): void {
  const leaves = isCallers && mayLeave;
  headers.push(leaves ? TRACEPARENT_HEADER : OWN_TRACE_HEADER, `00-${id}-${randomHex(8)}-${flags}`);
  if (leaves && state !== undefined) headers.push(TRACESTATE_HEADER, state);
}

/** The trace id that a request to one of our services names, for its log line. */
export function traceIdOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined {
  const value = headers[OWN_TRACE_HEADER] ?? headers[TRACEPARENT_HEADER];
  return typeof value === 'string' ? traceIdIn(value) : undefined;
}

/** The trace id in a `traceparent`. */
export const traceIdIn = (parent: string | undefined): string | undefined =>
  parent === undefined ? undefined : PARENT.exec(parent)?.[2];

/** Of a later version only the bit that is known today goes on. */
const knownFlags = (flags: string): string => (Number.parseInt(flags, 16) & 1 ? '01' : '00');

function usableState(state: string | undefined): string | undefined {
  if (state === undefined || state.length > MAX_STATE_CHARS) return undefined;
  const members = state
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const isUsable =
    members.length > 0 && members.length <= MAX_MEMBERS && members.every((member) => MEMBER.test(member));
  return isUsable ? members.join(',') : undefined;
}
