import type { LiveValue } from '@zeq/contracts';
import { ZEQOND_MS } from '@zeq/crypto';
import type { Operator } from '../catalogue/operator.ts';

/** The inputs at which a live value is computed, by name, in SI units. */
export type LiveInputs = Record<string, number>;

/**
 * Parameters that the clock sets: Unix seconds and the number of this Zeqond. All others stay at the reference point, which is
 * the first test vector with the defaults: a catalogue of formulas has no measurements, and none are made up.
 */
const CLOCKED: Readonly<Record<string, readonly string[]>> = {
  KO42: ['t'],
  'KO42-1': ['t'],
  'KO42-2': ['t'],
  ZTB1: ['t'],
  TM1: ['t', 'utp'],
};

/** @returns undefined for an operator without a reference point: a symbolic one, or one whose author gave no test vector. */
export function liveInputs({ id, record, computable }: Operator, zeqond: number): LiveInputs | undefined {
  if (computable === undefined) return undefined;
  const reference = new Map(Object.entries(record.testVectors[0]?.params ?? {}));
  const clocked = record.provenance === 'custom' ? [] : (CLOCKED[id] ?? []);
  const inputs: [string, number | null][] = computable.parameters.map(({ name, default: preset }) => {
    if (clocked.includes(name)) return [name, name === 'utp' ? zeqond : (zeqond * ZEQOND_MS) / 1000];
    return [name, reference.get(name) ?? preset];
  });
  return inputs.some(([, value]) => value === null)
    ? undefined
    : Object.fromEntries(inputs as [string, number][]);
}

/** @returns undefined where there is no reference point, or no finite value at it. */
export function liveValue(operator: Operator, inputs: LiveInputs | undefined): LiveValue | undefined {
  const { computable, id } = operator;
  if (computable === undefined || inputs === undefined) return undefined;
  const value = computable.evaluate(Float64Array.from(computable.parameters, ({ name }) => inputs[name]!));
  return Number.isFinite(value) ? { id, value, unit: computable.unit } : undefined;
}
