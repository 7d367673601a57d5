import { FUNCTIONS } from './functions.ts';
import type { Expression, Operator } from './parse-expression.ts';

/** An expression as one function of its parameters' SI values, in the order of their declaration. */
export interface Compiled {
  readonly evaluate: (values: Float64Array) => number;
  /** Work of one evaluation, in units of an addition. */
  readonly cost: number;
}

/**
 * Compiles an expression once. Plain closures over an array of doubles evaluate ten times faster than mathjs's own compiled
 * nodes, and each one's work is known beforehand, so a request can be weighed before it is computed.
 */
export function compileExpression(expression: Expression, names: readonly string[]): Compiled {
  return { evaluate: closure(expression, names), cost: costOf(expression) };
}

type Evaluate = Compiled['evaluate'];

function closure(expression: Expression, names: readonly string[]): Evaluate {
  switch (expression.kind) {
    case 'number': {
      const { value } = expression;
      return () => value;
    }
    case 'parameter': {
      const index = names.indexOf(expression.name);
      return (values) => values[index]!;
    }
    case 'negate': {
      const of = closure(expression.of, names);
      return (values) => -of(values);
    }
    case 'operation':
      return operation(
        expression.operator,
        closure(expression.left, names),
        closure(expression.right, names),
      );
    case 'call':
      return call(
        expression.name,
        expression.args.map((arg) => closure(arg, names)),
      );
  }
}

function operation(operator: Operator, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case 'add':
      return (values) => left(values) + right(values);
    case 'subtract':
      return (values) => left(values) - right(values);
    case 'multiply':
      return (values) => left(values) * right(values);
    case 'divide':
      return (values) => left(values) / right(values);
    case 'pow':
      return (values) => left(values) ** right(values);
  }
}

function call(name: string, [first, second]: Evaluate[]): Evaluate {
  const { apply } = FUNCTIONS.get(name)!;
  if (second === undefined) return (values) => apply(first!(values), 0);
  return (values) => apply(first!(values), second(values));
}

function costOf(expression: Expression): number {
  switch (expression.kind) {
    case 'number':
    case 'parameter':
      return 1;
    case 'negate':
      return 1 + costOf(expression.of);
    case 'operation':
      return (expression.operator === 'pow' ? 8 : 1) + costOf(expression.left) + costOf(expression.right);
    case 'call':
      return expression.args.reduce((sum, arg) => sum + costOf(arg), FUNCTIONS.get(expression.name)!.cost);
  }
}
