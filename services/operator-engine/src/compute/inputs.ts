import type { InputUsed, ParameterValue } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Parameter } from '../catalogue/operator.ts';
import { describeDimensions, sameDimensions } from '../units/dimensions.ts';
import { parseQuantity, type Quantity, toSi } from '../units/quantity.ts';
import { parseUnit } from '../units/unit.ts';

/** SI values of a parameter or a result: one, or one for each point of a sweep. */
export interface Column {
  readonly values: Float64Array;
  readonly isSweep: boolean;
}

/** What an operator earlier in the computation gave. */
export interface Output extends Column {
  /** Of the result, in LaTeX: what it is called. */
  readonly symbol: string;
  readonly unit: string;
  readonly dimensions: Parameter['dimensions'];
}

export interface Input extends Column {
  readonly source: InputUsed['source'];
  readonly from?: string;
}

export const single = (value: number): Column => ({ values: Float64Array.of(value), isSweep: false });

/**
 * Turns what a caller gave for one parameter into SI values that keep its bounds.
 *
 * @param where `ID.name`, for messages.
 * @throws ProblemError `invalid_parameter`, `dimension_mismatch`
 */
export function readInput(
  value: ParameterValue,
  parameter: Parameter,
  outputs: ReadonlyMap<string, Output>,
  where: string,
): Input {
  const input = readColumn(value, parameter, outputs, where);
  for (const each of input.values) requireBounds(each, parameter, where);
  return input;
}

function readColumn(
  value: ParameterValue,
  parameter: Parameter,
  outputs: ReadonlyMap<string, Output>,
  where: string,
): Input {
  if (Array.isArray(value)) {
    const values = Float64Array.from(value, (each) => readNumber(each, parameter, where));
    return { values, isSweep: true, source: 'given' };
  }
  if (typeof value !== 'object') return { ...single(readNumber(value, parameter, where)), source: 'given' };
  if ('from' in value) return fromOutput(value.from, parameter, outputs, where);
  const unit = parseUnit(value.unit);
  if (unit === undefined) throw invalid(where, 'its unit cannot be read');
  return { ...single(convert({ number: value.value, unit }, parameter, where)), source: 'given' };
}

/** The missing parameter's value: its default or constant. @throws ProblemError `invalid_parameter` for a required one. */
export function presetInput(
  { default: preset, isFixed, unit, description }: Parameter,
  where: string,
): Input {
  if (preset === null) throw invalid(where, `it is required (${description.slice(0, 120)}; unit ${unit})`);
  return { ...single(preset), source: isFixed ? 'fixed' : 'default' };
}

function fromOutput(
  id: string,
  parameter: Parameter,
  outputs: ReadonlyMap<string, Output>,
  where: string,
): Input {
  const output = outputs.get(id);
  if (output === undefined)
    throw invalid(where, 'it refers to an operator that does not come before this one');
  requireDimensions(output.dimensions, parameter, where);
  return { values: output.values, isSweep: output.isSweep, source: 'output', from: id };
}

function readNumber(value: number | string, parameter: Parameter, where: string): number {
  if (typeof value === 'number') return requireFinite(value, where);
  const quantity = parseQuantity(value);
  if (quantity === undefined)
    throw invalid(
      where,
      'it is neither a number nor a quantity such as "5 kg" (write J/(mol K), not J/mol K)',
    );
  return convert(quantity, parameter, where);
}

function convert({ number, unit }: Quantity, parameter: Parameter, where: string): number {
  if (unit === undefined) return requireFinite(number, where);
  requireDimensions(unit.dimensions, parameter, where);
  return requireFinite(toSi(number, unit), where);
}

function requireDimensions(
  given: Parameter['dimensions'],
  { dimensions, unit }: Parameter,
  where: string,
): void {
  if (sameDimensions(given, dimensions)) return;
  throw new ProblemError(
    'dimension_mismatch',
    `${where}: expected ${unit} (${describeDimensions(dimensions)}), got ${describeDimensions(given)}.`,
  );
}

function requireFinite(value: number, where: string): number {
  if (!Number.isFinite(value)) throw invalid(where, 'it is not a finite number');
  return value;
}

/** A constant may come back in another unit, so it is compared with room for rounding. */
const FIXED_TOLERANCE = 1e-12;

function requireBounds(value: number, { min, max, isFixed, unit }: Parameter, where: string): void {
  if (isFixed) {
    if (Math.abs(value - min!) > FIXED_TOLERANCE * Math.abs(min!))
      throw invalid(where, `it is a constant and stays ${min} ${unit}`);
    return;
  }
  if (min !== null && value < min) throw invalid(where, `it must be at least ${min} ${unit}`);
  if (max !== null && value > max) throw invalid(where, `it must be at most ${max} ${unit}`);
}

export const invalid = (where: string, what: string) =>
  new ProblemError('invalid_parameter', `${where}: ${what}.`);
