import type { MathNode } from 'mathjs';
import { math } from '../math.ts';
import { FUNCTIONS } from './functions.ts';

/** An expression that may not be evaluated. The message is for its author and does not repeat it. */
export class ExpressionError extends Error {
  override name = 'ExpressionError';
}

/** The checked tree of an expression: numbers, the author's parameters, pi, and calls of listed functions. */
export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'parameter'; name: string }
  | { kind: 'negate'; of: Expression }
  | { kind: 'operation'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'call'; name: string; args: Expression[] };

export type Operator = 'add' | 'subtract' | 'multiply' | 'divide' | 'pow';

const MAX_CHARS = 512;
const MAX_NODES = 300;
/** Open parentheses at one place; mathjs's parser descends some twenty calls for each. */
const MAX_PARENTHESES = 24;
const MAX_DEPTH = 64;
const ALLOWED = /^[A-Za-z0-9_+\-*/^(),. ]*$/;
const OPERATORS: ReadonlySet<string> = new Set(['add', 'subtract', 'multiply', 'divide', 'pow']);

/**
 * Reads an expression with mathjs and walks every node: what is not on the list is refused, so there is no assignment,
 * function definition, property, index, string, array, range, condition or implicit product, and no name but the declared ones.
 *
 * @param names The declared parameters; each has to occur.
 * @throws ExpressionError
 */
export function parseExpression(text: string, names: readonly string[]): Expression {
  if (text.length > MAX_CHARS) throw new ExpressionError(`is longer than ${MAX_CHARS} characters`);
  if (!ALLOWED.test(text)) throw new ExpressionError('has a character that is not allowed in it');
  requireShallow(text);
  const walk = new Walk(new Set(names));
  const expression = walk.read(readTree(text), 0);
  const unused = names.filter((name) => !walk.used.has(name));
  if (unused.length > 0) throw new ExpressionError(`does not use the parameter ${unused[0]}`);
  return expression;
}

/** Names that a parameter may not have, because an expression already means something by them. */
export const isReserved = (name: string): boolean => name === 'pi' || FUNCTIONS.has(name);

function requireShallow(text: string): void {
  let open = 0;
  for (const char of text) {
    if (char === '(') open += 1;
    if (char === ')') open -= 1;
    if (open > MAX_PARENTHESES) throw new ExpressionError('has too many parentheses inside each other');
  }
}

function readTree(text: string): MathNode {
  try {
    return math.parse(text);
  } catch {
    throw new ExpressionError('cannot be read as an expression');
  }
}

class Walk {
  readonly #names: ReadonlySet<string>;
  readonly used = new Set<string>();
  #nodes = 0;

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  read(node: MathNode, depth: number): Expression {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES || depth > MAX_DEPTH) throw new ExpressionError('has too many parts');
    if (math.isParenthesisNode(node)) return this.read(node.content, depth + 1);
    if (math.isConstantNode(node)) return this.#number(node.value);
    if (math.isSymbolNode(node)) return this.#symbol(node.name);
    if (math.isOperatorNode(node)) return this.#operation(node, depth);
    if (math.isFunctionNode(node)) return this.#call(node, depth);
    throw new ExpressionError('uses something that is not allowed in it');
  }

  #number(value: unknown): Expression {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new ExpressionError('has a constant that is not a finite number');
    return { kind: 'number', value };
  }

  #symbol(name: string): Expression {
    if (this.#names.has(name)) {
      this.used.add(name);
      return { kind: 'parameter', name };
    }
    if (name === 'pi') return { kind: 'number', value: Math.PI };
    throw new ExpressionError('uses a name that is not a declared parameter or pi');
  }

  #operation(node: MathNode, depth: number): Expression {
    const { fn, args, implicit } = node as unknown as { fn: string; args: MathNode[]; implicit: boolean };
    const [left, right] = args;
    if (fn === 'unaryMinus' && left !== undefined) return { kind: 'negate', of: this.read(left, depth + 1) };
    if (implicit) throw new ExpressionError('leaves out a multiplication sign');
    if (!OPERATORS.has(fn) || left === undefined || right === undefined || args.length !== 2)
      throw new ExpressionError('uses an operator other than + - * / ^');
    return {
      kind: 'operation',
      operator: fn as Operator,
      left: this.read(left, depth + 1),
      right: this.read(right, depth + 1),
    };
  }

  #call(node: MathNode, depth: number): Expression {
    const { fn, args } = node as unknown as { fn: MathNode; args: MathNode[] };
    const name = math.isSymbolNode(fn) ? fn.name : '';
    const known = FUNCTIONS.get(name);
    if (known === undefined) throw new ExpressionError('uses a function that is not on the list');
    if (args.length !== known.arity && !(known.folds && args.length > known.arity))
      throw new ExpressionError(`calls ${name} with ${args.length} arguments; it takes ${known.arity}`);
    const read = args.map((arg) => this.read(arg, depth + 1));
    if (!known.folds) return { kind: 'call', name, args: read };
    return read.reduce((left, right) => ({ kind: 'call', name, args: [left, right] }));
  }
}
