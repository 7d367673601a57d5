export interface Finding {
  claim: string;
  /** What was seen, in words or figures. */
  seen: string;
  holds: boolean;
}

/** What an experiment found, claim by claim. */
export class Verdict {
  readonly findings: Finding[] = [];
  readonly #patience: number;

  /** @param patience By what the stated times are multiplied: a machine that does other work is slower, not wrong. */
  constructor(patience = 1) {
    this.#patience = patience;
  }

  get holds(): boolean {
    return this.findings.every(({ holds }) => holds);
  }

  that(claim: string, holds: boolean, seen: string | number): void {
    this.findings.push({ claim, seen: String(seen), holds });
  }

  none(claim: string, found: readonly unknown[]): void {
    const shown = found.slice(0, 5).map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    this.that(
      claim,
      found.length === 0,
      found.length === 0 ? 'none' : `${found.length}: ${shown.join('; ')}`,
    );
  }

  /** @param times In ms; the longest counts. */
  within(claim: string, times: readonly number[], limitMs: number): void {
    const longest = Math.max(...times);
    const seen = `longest ${Math.round(longest)} ms of ${times.length}`;
    this.that(`${claim} within ${limitMs} ms`, times.length > 0 && longest <= limitMs * this.#patience, seen);
  }
}

export const lineOf = ({ claim, seen, holds }: Finding): string =>
  `  ${holds ? 'ok  ' : 'FAIL'} ${claim} (${seen})`;
