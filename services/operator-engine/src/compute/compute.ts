import { type InputUsed, MAX_SWEEP_POINTS, type OperatorOutput, type ParameterValue } from '@zeq/contracts';
import { phaseOf, ZEQOND_MS } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { KO42 } from '../catalogue/catalogue.ts';
import type { Computable, Operator, Parameter } from '../catalogue/operator.ts';
import { sameDimensions } from '../units/dimensions.ts';
import { type Column, type Input, invalid, type Output, presetInput, readInput, single } from './inputs.ts';
import type { Plan } from './plan.ts';

/** What came out, in the words of the wire. */
export interface Computed {
  value: number | number[];
  unit: string;
  results: OperatorOutput[];
  inputs: Record<string, Record<string, InputUsed>>;
  points: number;
}

/** Some 10 ns each: a request's evaluation stays well below 100 ms. */
const MAX_WORK = 8_000_000;
/** Numbers in one request and its answer; they are parsed, written and signed. */
const MAX_NUMBERS = 70_000;

export interface ComputeOptions {
  nowMs: number;
  /** Nothing is filled in: every parameter that is not a constant, nor the pulse's own, has to be given. */
  strict?: boolean;
}

/**
 * Computes the operators of a plan one after the other. A parameter is given as `name`, to every operator that has it, or as
 * `ID.name`, to that one; `{from: ID}` feeds it what an earlier operator gave. A required parameter that is not given is fed by
 * an earlier operator whose result bears its name.
 *
 * KO42 alone is computed like any other. Beside others it is the pulse: it takes its time from the clock, and only what is
 * addressed to it as `KO42.name`, so that another operator's `t` or `alpha` does not move it.
 *
 * @throws ProblemError `not_computable`, `invalid_parameter`, `dimension_mismatch`, `non_finite_result`, `computation_too_large`
 */
export function compute(
  plan: Plan,
  params: Readonly<Record<string, ParameterValue>>,
  options: ComputeOptions,
): Computed {
  const given = new Map(Object.entries(params));
  const run: Run = { given, options, isComposition: plan.operators.length > 1, outputs: new Map() };
  const operators = plan.operators.map(requireComputable);
  requireKnown(operators, run);
  const inputs: Computed['inputs'] = {};
  const budget = { work: 0, numbers: MAX_SWEEP_POINTS }; // the value stands in the results and above them
  for (const operator of operators) {
    const { id, computable } = operator;
    const row = computable.parameters.map((parameter) => inputOf(id, parameter, run));
    spend(budget, computable, row);
    run.outputs.set(id, outputOf(operator, row));
    inputs[id] = Object.fromEntries(
      computable.parameters.map(({ name, unit }, i) => [name, toUsed(row[i]!, unit)]),
    );
  }
  return summary(run.outputs, inputs);
}

type ComputableOperator = Operator & { readonly computable: Computable };

/** One computation under way. */
interface Run {
  readonly given: ReadonlyMap<string, ParameterValue>;
  readonly options: ComputeOptions;
  readonly isComposition: boolean;
  readonly outputs: Map<string, Output>;
}

const isPulse = (id: string, { isComposition }: Run): boolean => id === KO42 && isComposition;

function inputOf(id: string, parameter: Parameter, run: Run): Input {
  const { given, options, outputs } = run;
  const pulse = isPulse(id, run);
  const where = `${id}.${parameter.name}`;
  const value = given.get(where) ?? (pulse ? undefined : given.get(parameter.name));
  if (value !== undefined) return readInput(value, parameter, outputs, where);
  if (pulse) return parameter.name === 't' ? pulseTime(options.nowMs) : presetInput(parameter, where);
  if (options.strict && !parameter.isFixed)
    throw invalid(where, `it has to be given; unit ${parameter.unit}`);
  return feed(parameter, outputs) ?? presetInput(parameter, where);
}

function outputOf({ id, record, computable }: ComputableOperator, row: readonly Input[]): Output {
  const { unit, dimensions } = computable;
  return { ...evaluate(id, computable, row), symbol: record.result?.symbol ?? '', unit, dimensions };
}

/** Seconds since this Zeqond began: the coordinate time of KO42, measured from the phase origin. */
const pulseTime = (nowMs: number): Input => ({
  ...single((phaseOf(nowMs) * ZEQOND_MS) / 1000),
  source: 'clock',
});

/** The latest output of that symbol and dimension. Defaults and constants are never replaced by one. */
function feed(parameter: Parameter, outputs: ReadonlyMap<string, Output>): Input | undefined {
  if (parameter.default !== null) return undefined;
  const found = [...outputs].findLast(
    ([, { symbol, dimensions }]) =>
      (symbol === parameter.symbol || symbol === parameter.name) &&
      sameDimensions(dimensions, parameter.dimensions),
  );
  return found && { ...found[1], source: 'output', from: found[0] };
}

function requireComputable(operator: Operator): ComputableOperator {
  const { id, computable } = operator;
  if (computable === undefined)
    throw new ProblemError('not_computable', `${id} is symbolic: it is stated, and not computed.`);
  return { ...operator, computable };
}

/** A name that nothing has is a mistake of the caller's, and must not pass as "default taken". */
function requireKnown(operators: readonly ComputableOperator[], run: Run): void {
  const pairs = operators.flatMap(({ id, computable }) =>
    computable.parameters.map(({ name }) => ({ id, name })),
  );
  const full = pairs.map(({ id, name }) => `${id}.${name}`);
  const short = pairs.filter(({ id }) => !isPulse(id, run)).map(({ name }) => name);
  const known = new Set([...full, ...short]);
  if ([...run.given.keys()].every((name) => known.has(name))) return;
  const names = full.join(', ') || 'none';
  throw invalid('params', `it names a parameter that no operator here has; they have ${names}`);
}

function spend(budget: { work: number; numbers: number }, { cost }: Computable, row: readonly Input[]): void {
  const points = pointsOf(row);
  budget.work += cost * points;
  budget.numbers += row.reduce(
    (sum, { values, from }) => sum + (from === undefined ? values.length : 0),
    points,
  );
  if (budget.work > MAX_WORK || budget.numbers > MAX_NUMBERS)
    throw new ProblemError('computation_too_large', 'Sweep fewer points or fewer parameters at once.');
}

/** @throws ProblemError `invalid_parameter` when two sweeps have different lengths. */
function pointsOf(row: readonly Input[]): number {
  const lengths = new Set(row.filter(({ isSweep }) => isSweep).map(({ values }) => values.length));
  if (lengths.size > 1) throw invalid('params', 'lists that are swept together need one length');
  return [...lengths][0] ?? 1;
}

function evaluate(id: string, computable: Computable, row: readonly Input[]): Column {
  const points = pointsOf(row);
  const out = new Float64Array(points);
  const values = new Float64Array(row.length);
  for (let point = 0; point < points; point++) {
    for (let i = 0; i < row.length; i++) {
      const column = row[i]!;
      values[i] = column.isSweep ? column.values[point]! : column.values[0]!;
    }
    const result = computable.evaluate(values);
    if (!Number.isFinite(result)) throw nonFinite(id, points, point);
    out[point] = result;
  }
  return { values: out, isSweep: row.some(({ isSweep }) => isSweep) };
}

function nonFinite(id: string, points: number, point: number): ProblemError {
  const where = points === 1 ? '' : ` at point ${point + 1}`;
  return new ProblemError(
    'non_finite_result',
    `${id} has no finite real value${where}: the inputs divide by zero, overflow, or leave its domain.`,
  );
}

const toWire = ({ values, isSweep }: Column): number | number[] =>
  isSweep ? Array.from(values) : values[0]!;

/** An output that is fed on stands in the results, so it is not repeated here. */
function toUsed(input: Input, unit: string): InputUsed {
  const { source, from } = input;
  return from === undefined ? { value: toWire(input), unit, source } : { unit, source, from };
}

function summary(outputs: ReadonlyMap<string, Output>, inputs: Computed['inputs']): Computed {
  const results = [...outputs].map(([operator, output]) => ({
    operator,
    value: toWire(output),
    unit: output.unit,
  }));
  const last = [...outputs.values()].at(-1)!;
  return { value: toWire(last), unit: last.unit, results, inputs, points: last.values.length };
}
