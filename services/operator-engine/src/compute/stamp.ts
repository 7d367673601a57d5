import { randomBytes } from 'node:crypto';
import type { Claim } from '@zeq/contracts';
import { ko42Of, modulationOf, phaseOf, zeqondOf } from '@zeq/crypto';
import type { Computed } from './compute.ts';
import type { Plan } from './plan.ts';

/** Stamps what was computed with the clock. R(t) stands beside the value and does not change it. */
export function stamp(plan: Plan, { value, unit, results, inputs }: Computed, nowMs: number): Claim {
  return {
    version: 1,
    id: `cmp_${randomBytes(16).toString('hex')}`,
    operators: [...plan.ids],
    value,
    unit,
    results,
    inputs,
    zeqond: zeqondOf(nowMs),
    phase: phaseOf(nowMs),
    ko42: ko42Of(nowMs),
    r: modulationOf(nowMs),
    computed_at: new Date(nowMs).toISOString(),
  };
}
