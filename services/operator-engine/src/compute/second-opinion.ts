import type { EvalFunction } from 'mathjs';
import { isWithin, type Operator } from '../catalogue/operator.ts';
import { math } from '../math.ts';
import type { Computed } from './compute.ts';

const TOLERANCE = 1e-9;

const compiled = new WeakMap<Operator, EvalFunction>();

/**
 * Computes every result once more with mathjs's own evaluator (of a sweep, its first point) and compares. The two evaluators
 * share the parser and nothing else.
 *
 * @returns The id of the first operator on which they differ.
 */
export function differingOperator(operators: readonly Operator[], computed: Computed): string | undefined {
  const results = new Map(computed.results.map(({ operator, value }) => [operator, firstOf(value)]));
  return operators.find((operator) => {
    const inputs = Object.entries(computed.inputs[operator.id] ?? {});
    const scope = new Map(
      inputs.map(([name, { value, from }]) => [
        name,
        value === undefined ? results.get(from!)! : firstOf(value),
      ]),
    );
    const other: unknown = evaluatorOf(operator).evaluate(scope);
    return typeof other !== 'number' || !isWithin(results.get(operator.id)!, other, TOLERANCE);
  })?.id;
}

const firstOf = (value: number | number[]): number => (Array.isArray(value) ? value[0]! : value);

/** Only expressions that passed the walk over their tree come here, so there is nothing in them to escape the scope. */
function evaluatorOf(operator: Operator): EvalFunction {
  const known = compiled.get(operator);
  if (known !== undefined) return known;
  const fresh = math.compile(operator.record.expression!);
  compiled.set(operator, fresh);
  return fresh;
}
