import {
  combine,
  type Dimensions,
  describeDimensions,
  isPure,
  PURE,
  power,
  sameDimensions,
} from '../units/dimensions.ts';
import { compileExpression } from './compile.ts';
import { FUNCTIONS } from './functions.ts';
import { type Expression, ExpressionError } from './parse-expression.ts';

/** What is known of the parameters: their dimensions, and values at which an exponent can be read. */
export interface Measured {
  names: readonly string[];
  dimensions: readonly Dimensions[];
  /** SI values at one point, in the order of the names; undefined when none is known. */
  sample: Float64Array | undefined;
}

/**
 * The dimension of an expression's value, by the rules of physics: what is added agrees, exponents and the arguments of
 * transcendental functions are pure numbers.
 *
 * @throws ExpressionError where a rule is broken, or where an exponent of a unit varies and no sample tells its value.
 */
export function dimensionOf(expression: Expression, measured: Measured): Dimensions {
  const of = (part: Expression) => dimensionOf(part, measured);
  switch (expression.kind) {
    case 'number':
      return PURE;
    case 'parameter':
      return measured.dimensions[measured.names.indexOf(expression.name)]!;
    case 'negate':
      return of(expression.of);
    case 'call':
      return ofCall(expression.name, expression.args.map(of));
    case 'operation': {
      const left = of(expression.left);
      const right = of(expression.right);
      if (expression.operator === 'multiply') return combine(left, right, 1);
      if (expression.operator === 'divide') return combine(left, right, -1);
      if (expression.operator === 'pow') return ofPower(left, right, expression.right, measured);
      return requireSame('adds or subtracts', left, right);
    }
  }
}

function ofCall(name: string, args: Dimensions[]): Dimensions {
  const { measure } = FUNCTIONS.get(name)!;
  if (measure === 'root') return power(args[0]!, 0.5);
  const agreed = args.reduce((first, next) => requireSame(`calls ${name} with`, first, next));
  if (measure === 'same') return agreed;
  if (measure === 'ratio' || isPure(agreed)) return PURE;
  throw new ExpressionError(`calls ${name} with ${describeDimensions(agreed)} instead of a pure number`);
}

function ofPower(base: Dimensions, exponent: Dimensions, node: Expression, measured: Measured): Dimensions {
  if (!isPure(exponent))
    throw new ExpressionError(`has an exponent of ${describeDimensions(exponent)} instead of a pure number`);
  if (isPure(base)) return PURE;
  return power(base, exponentOf(node, measured));
}

/** The value of an exponent: constant, or read at the sample. */
function exponentOf(node: Expression, { names, sample }: Measured): number {
  if (sample === undefined && !isConstant(node))
    throw new ExpressionError(
      'raises a unit to an exponent that varies; give a test vector that tells its value',
    );
  const value = compileExpression(node, names).evaluate(sample ?? new Float64Array());
  if (!Number.isFinite(value)) throw new ExpressionError('has an exponent that is not a finite number');
  return value;
}

function isConstant(node: Expression): boolean {
  switch (node.kind) {
    case 'number':
      return true;
    case 'parameter':
      return false;
    case 'negate':
      return isConstant(node.of);
    case 'operation':
      return isConstant(node.left) && isConstant(node.right);
    case 'call':
      return node.args.every(isConstant);
  }
}

function requireSame(doing: string, left: Dimensions, right: Dimensions): Dimensions {
  if (sameDimensions(left, right)) return left;
  throw new ExpressionError(`${doing} ${describeDimensions(left)} and ${describeDimensions(right)}`);
}
