import type { Logger } from './logger.ts';

/** One request, at its end. Every field is text of ours or checked text: never a value that a caller chose. */
export interface AccessLine {
  requestId: string;
  /** The id of the trace that it belongs to: 32 hex digits. */
  traceId?: string | undefined;
  method: string;
  /** The pattern of the route, not the path: a path may hold what a caller should not have put there. */
  route: string;
  status: number;
  ms: number;
  /** Kind of caller and, for a machine's, its slug. */
  who: string;
  /** How it ended, where that is not plain: `aborted`, `upstream_reset`, a problem code. */
  outcome?: string | undefined;
  /** Of a forwarded call: by what right, to which API and origin, with what kind of credential. */
  decision?: string | undefined;
}

/** Where lines go: a stream shared with the logger, so that lines never run into each other. */
export interface LineSink {
  write(line: string): unknown;
}

const SAFE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Writes the one line of each request. It is put together by hand because a logger's serialising and redacting costs ten
 * times as much, on the one path where that counts; all its fields are known to be harmless.
 */
export class AccessLog {
  readonly #sink: LineSink;
  readonly #head: string;
  readonly #enabled: boolean;

  /** @param log Lines are written when it writes `info`. */
  constructor(service: string, sink: LineSink, log: Logger) {
    this.#sink = sink;
    this.#head = `{"level":30,"service":${JSON.stringify(service)},"msg":"request","time":"`;
    this.#enabled = log.isLevelEnabled('info');
  }

  write({ requestId, traceId, method, route, status, ms, who, outcome, decision }: AccessLine): void {
    if (!this.#enabled) return;
    this.#sink.write(
      `${this.#head}${isoNow()}","request_id":"${requestId}"${optional('trace_id', traceId)},"method":"${plain(method)}","route":"${route}","status":${status},"ms":${Math.round(ms * 1000) / 1000},"who":"${plain(who)}"${optional('outcome', outcome)}${optional('decision', decision)}}\n`,
    );
  }
}

const optional = (name: string, text: string | undefined): string =>
  text === undefined ? '' : `,"${name}":"${plain(text)}"`;

const plain = (text: string): string => (SAFE.test(text) ? text : 'unprintable');

let second = 0;
let secondText = '';

/** RFC 3339 with milliseconds; the text of a second is made once, because `toISOString` costs half a microsecond. */
function isoNow(): string {
  const now = Date.now();
  const whole = Math.floor(now / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  const ms = now - whole * 1000;
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
