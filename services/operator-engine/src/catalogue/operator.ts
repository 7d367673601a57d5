import { CustomOperator, type OperatorParameter, TIER_LABELS, TierLabel } from '@zeq/contracts';
import { z } from 'zod';
import { type Compiled, compileExpression } from '../expression/compile.ts';
import { dimensionOf } from '../expression/dimension-of.ts';
import { ExpressionError, isReserved, parseExpression } from '../expression/parse-expression.ts';
import { type Dimensions, describeDimensions, sameDimensions } from '../units/dimensions.ts';
import { parseUnit } from '../units/unit.ts';

/** A record that cannot be an operator. The message says what is wrong and repeats no formula. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}

/** One record of the catalogue, built-in or a machine's own. */
export const OperatorRecord = CustomOperator.extend({
  tier: z.int().min(1).max(4),
  tierLabel: TierLabel,
  founder: z.string().max(200),
  equationLaTeX: z.string().max(4000),
  provenance: z.enum(['zeq-docs', 'standard-physics', 'custom']),
});
export type OperatorRecord = z.infer<typeof OperatorRecord>;

export interface Parameter extends OperatorParameter {
  readonly dimensions: Dimensions;
  /** A physical constant: default, min and max are one number, which a caller may repeat but not change. */
  readonly isFixed: boolean;
}

/** What it takes to compute an operator. */
export interface Computable extends Compiled {
  readonly parameters: readonly Parameter[];
  readonly unit: string;
  readonly dimensions: Dimensions;
}

export interface Operator {
  readonly id: string;
  readonly record: OperatorRecord;
  /** undefined: symbolic, for people only. */
  readonly computable: Computable | undefined;
}

/**
 * Builds an operator from a record whose shape has been checked: the expression is compiled, its dimension is worked out and
 * has to be the declared one, and its test vectors have to come out.
 *
 * @throws OperatorError
 */
export function buildOperator(record: OperatorRecord): Operator {
  if (record.tierLabel !== TIER_LABELS[record.tier - 1])
    throw new OperatorError('tierLabel does not belong to tier');
  return { id: record.id, record, computable: buildComputable(record) };
}

function buildComputable(record: OperatorRecord): Computable | undefined {
  const { expression, result, parameters, testVectors } = record;
  if (expression === null) {
    if (parameters.length > 0 || result !== null || testVectors.length > 0)
      throw new OperatorError('without an expression there are no parameters, no result and no test vectors');
    return undefined;
  }
  if (result === null) throw new OperatorError('result is missing');
  const built = parameters.map(buildParameter);
  requireUnique(built.map(({ name }) => name));
  const dimensions = coherent(result.unit, 'result.unit');
  const computable = { ...compile(expression, built, dimensions, record), parameters: built };
  const operator = { ...computable, unit: result.unit, dimensions };
  for (const index of testVectors.keys()) requireVector(record, operator, index);
  return operator;
}

function buildParameter(parameter: OperatorParameter, index: number): Parameter {
  const at = `parameters.${index}`;
  const { name, default: preset, min, max } = parameter;
  if (isReserved(name)) throw new OperatorError(`${at}.name is the name of a function or constant`);
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  if (low > high) throw new OperatorError(`${at}: min is above max`);
  if (preset !== null && (preset < low || preset > high))
    throw new OperatorError(`${at}.default is outside min and max`);
  const isFixed = preset !== null && min === preset && max === preset;
  return { ...parameter, dimensions: coherent(parameter.unit, `${at}.unit`), isFixed };
}

function requireUnique(names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new OperatorError('two parameters have one name');
}

/** Plain numbers are computed with, so a unit has to be one of SI with the factor 1. */
function coherent(text: string, where: string): Dimensions {
  const unit = parseUnit(text);
  if (unit === undefined) throw new OperatorError(`${where} is not a unit`);
  if (unit.scale !== 1 || unit.offset !== 0)
    throw new OperatorError(`${where} is not a coherent SI unit (kg, m, s, Pa, …)`);
  return unit.dimensions;
}

function compile(
  text: string,
  parameters: readonly Parameter[],
  declared: Dimensions,
  record: OperatorRecord,
): Compiled {
  const names = parameters.map(({ name }) => name);
  try {
    const expression = parseExpression(text, names);
    const measured = {
      names,
      dimensions: parameters.map(({ dimensions }) => dimensions),
      sample: sampleOf(parameters, record.testVectors[0]?.params),
    };
    const found = dimensionOf(expression, measured);
    if (!sameDimensions(found, declared))
      throw new ExpressionError(
        `gives ${describeDimensions(found)}, and result.unit says ${describeDimensions(declared)}`,
      );
    return compileExpression(expression, names);
  } catch (err) {
    if (err instanceof ExpressionError) throw new OperatorError(`expression ${err.message}`);
    throw err;
  }
}

function sampleOf(
  parameters: readonly Parameter[],
  params: Readonly<Record<string, number>> = {},
): Float64Array | undefined {
  const given = new Map(Object.entries(params));
  const values = parameters.map(({ name, default: preset }) => given.get(name) ?? preset);
  return values.includes(null) ? undefined : Float64Array.from(values as number[]);
}

function requireVector(record: OperatorRecord, computable: Computable, index: number): void {
  const { params, value, relTol } = record.testVectors[index]!;
  const at = `testVectors.${index}`;
  const known = new Set(computable.parameters.map(({ name }) => name));
  if (Object.keys(params).some((name) => !known.has(name)))
    throw new OperatorError(`${at} names a parameter that is not declared`);
  const values = sampleOf(computable.parameters, params);
  if (values === undefined) throw new OperatorError(`${at} leaves out a required parameter`);
  const got = computable.evaluate(values);
  if (!isWithin(got, value, relTol)) throw new OperatorError(`${at} does not come out`);
}

/** Around zero a relative tolerance means nothing, so there it is an absolute one. */
export const isWithin = (got: number, wanted: number, relTol: number): boolean =>
  Math.abs(got - wanted) <= relTol * (wanted === 0 ? 1 : Math.abs(wanted));
