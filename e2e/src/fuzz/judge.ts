export interface Finding {
  round: number;
  what: string;
  /** What was sent, or what the upstream answered; JSON text. */
  input: string;
}

export interface FuzzReport {
  rounds: number;
  /** How often each status came. */
  statuses: Record<string, number>;
  findings: Finding[];
  /** By service: MiB in the three thirds of the run. */
  memory: Record<string, number[]>;
}

/** What was strange in a round: a request, or the answer of its upstream. */
export interface Strange {
  round: number;
  side: 'request' | 'answer';
  input: Buffer;
}

const HEADS = /HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)/g;
/** What the mesh may say with a 5xx to a strange request or about a strange answer. */
const EXPECTED =
  /^(?:not_implemented|upstream_invalid|upstream_reset|upstream_timeout|loop_detected|feature_disabled)$/;

/** A 5xx has to be one that the mesh means. One without X-Zeq-Error is the upstream's own, and only strange upstreams say such a thing. */
export function judge(text: string, strange: Strange, report: FuzzReport): void {
  for (const [, status = '', head = ''] of text.matchAll(HEADS)) {
    report.statuses[status] = (report.statuses[status] ?? 0) + 1;
    if (Number(status) < 500) continue;
    const code = /^x-zeq-error: (\S+)/im.exec(head)?.[1];
    const isMeant = code === undefined ? strange.side === 'answer' : EXPECTED.test(code);
    if (!isMeant) note(strange, `${status} ${code ?? 'without a code'}`, report);
  }
}

/** The next call of somebody who did nothing strange has to get its own answer, which is its path. */
export function judgeClean(text: string, path: string, strange: Strange, report: FuzzReport): void {
  if (text.startsWith('HTTP/1.1 200 ') && text.endsWith(`\r\n\r\n${path}`)) return;
  note(strange, `the next call was answered ${JSON.stringify(text.slice(0, 300))}`, report);
}

const note = ({ round, input }: Strange, what: string, { findings }: FuzzReport) =>
  findings.push({ round, what, input: JSON.stringify(input.subarray(0, 2_000).toString('latin1')) });
