import { math } from '../math.ts';

/** What a function's arguments and result measure. */
export type Measure =
  | 'pure' // pure numbers in, a pure number out
  | 'same' // the dimension of its arguments, which agree
  | 'root' // half the exponents
  | 'ratio'; // arguments agree, a pure number out

export interface MathFunction {
  readonly arity: number;
  /** It may take more than two arguments: max(a, b, c) is max(max(a, b), c). */
  readonly folds?: true;
  readonly apply: (a: number, b: number) => number;
  readonly measure: Measure;
  /** Work of one call in units of an addition, for the budget. */
  readonly cost: number;
}

/** No factorial beyond this is a finite double. */
const LAST_FACTORIAL = 170;
/** C(2·515, 515) is the last central binomial that is a finite double; so the loop below never runs longer. */
const LAST_CENTRAL = 515;

const FACTORIALS = Array.from({ length: LAST_FACTORIAL + 1 }, (_, n) => math.factorial(n));

/** n! from a table; NaN for what is not a whole number from 0. */
function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0) return Number.NaN;
  return FACTORIALS[n] ?? Number.POSITIVE_INFINITY;
}

/** The binomial coefficient, multiplied up so that it stays exact as long as doubles are; NaN outside 0 <= k <= n. */
function combinations(n: number, k: number): number {
  if (!Number.isInteger(n) || !Number.isInteger(k) || k < 0 || k > n) return Number.NaN;
  const steps = Math.min(k, n - k);
  if (steps > LAST_CENTRAL) return Number.POSITIVE_INFINITY;
  let product = 1;
  for (let i = 1; i <= steps; i++) product = (product * (n - steps + i)) / i;
  return product;
}

const pure = (apply: (a: number, b: number) => number, arity = 1, cost = 4): MathFunction => ({
  arity,
  apply,
  measure: 'pure',
  cost,
});
const same = (apply: (a: number, b: number) => number, arity = 1, cost = 1): MathFunction => ({
  arity,
  apply,
  measure: 'same',
  cost,
});

/**
 * Every function that an expression may use, and no other. Those whose edges are a matter of definition (rounding, mod, erf) are
 * mathjs's own; the rest are the runtime's. What has no real value gives NaN, never a complex number.
 */
export const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map(
  Object.entries({
    abs: same(Math.abs),
    acos: pure(Math.acos),
    asin: pure(Math.asin),
    atan: pure(Math.atan),
    atan2: { arity: 2, apply: Math.atan2, measure: 'ratio', cost: 4 },
    atanh: pure(Math.atanh),
    combinations: pure(combinations, 2, 120),
    cos: pure(Math.cos),
    erf: pure((x) => math.erf(x), 1, 40),
    exp: pure(Math.exp),
    expm1: pure(Math.expm1),
    factorial: pure(factorial),
    floor: pure((x) => math.floor(x), 1, 40),
    log: pure(Math.log),
    log10: pure(Math.log10),
    log2: pure(Math.log2),
    max: { ...same(Math.max, 2), folds: true },
    min: { ...same(Math.min, 2), folds: true },
    mod: same((x, y) => math.mod(x, y), 2, 80),
    round: pure((x) => math.round(x), 1, 40),
    sin: pure(Math.sin),
    sinh: pure(Math.sinh),
    sqrt: { arity: 1, apply: Math.sqrt, measure: 'root', cost: 1 },
    tan: pure(Math.tan),
    tanh: pure(Math.tanh),
  } satisfies Record<string, MathFunction>),
);
