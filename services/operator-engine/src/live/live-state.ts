import { ko42Of, modulationOf, phaseOf, zeqondOf, zeqondStartMs } from '@zeq/crypto';
import type { Operator } from '../catalogue/operator.ts';
import { liveInputs, liveValue } from './live-values.ts';

/** Every live value of one Zeqond. */
interface Snapshot {
  zeqond: number;
  count: number;
  /** `"count":…,"operators":[…]}`: the part of the answer that all callers of this Zeqond share. */
  tail: Buffer;
}

/** The live values of the whole catalogue: computed once per Zeqond, however many ask, and not at all when nobody does. */
export class LiveState {
  readonly #operators: readonly Operator[];
  #snapshot: Snapshot | undefined;

  constructor(operators: readonly Operator[]) {
    this.#operators = operators;
  }

  /** The whole state as JSON: the moment of the answer, then what its Zeqond shares. */
  at(nowMs: number): Buffer {
    const { tail } = this.#current(zeqondOf(nowMs));
    const head = JSON.stringify(momentOf(nowMs));
    return Buffer.concat([Buffer.from(`${head.slice(0, -1)},`), tail]);
  }

  #current(zeqond: number): Snapshot {
    if (this.#snapshot?.zeqond !== zeqond) this.#snapshot = snapshot(this.#operators, zeqond);
    return this.#snapshot;
  }
}

/** The clock's part of a live answer. */
export function momentOf(nowMs: number) {
  const zeqond = zeqondOf(nowMs);
  return {
    zeqond,
    timestamp: new Date(zeqondStartMs(zeqond)).toISOString(),
    phase: phaseOf(nowMs),
    ko42: ko42Of(nowMs),
    r: modulationOf(nowMs),
  };
}

function snapshot(operators: readonly Operator[], zeqond: number): Snapshot {
  const values = operators.flatMap((operator) => liveValue(operator, liveInputs(operator, zeqond)) ?? []);
  const shared = JSON.stringify({ count: values.length, operators: values });
  return { zeqond, count: values.length, tail: Buffer.from(shared.slice(1)) };
}
