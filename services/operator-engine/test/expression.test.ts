import { isWithin } from '../src/catalogue/operator.ts';
import { compileExpression } from '../src/expression/compile.ts';
import { dimensionOf } from '../src/expression/dimension-of.ts';
import { parseExpression } from '../src/expression/parse-expression.ts';
import { math } from '../src/math.ts';
import { type Dimensions, describeDimensions } from '../src/units/dimensions.ts';
import { parseUnit } from '../src/units/unit.ts';
import { catalogue } from './kit/engine.ts';

describe('parseExpression', () => {
  it.each<[string, string]>([
    ['an assignment', 'a = 1'],
    ['a function definition', 'f(a) = a'],
    ['a property', 'a.b'],
    ['an index', 'a[1]'],
    ['an array', '[a, 1]'],
    ['an object', '{a: 1}'],
    ['a string', '"a"'],
    ['a range', '1:a'],
    ['a comparison', 'a > 1'],
    ['a condition', 'a ? 1 : 2'],
    ['a second statement', 'a; 1'],
    ['a line break', 'a\n1'],
    ['an implicit product', '2 a'],
    ['an implicit product of parentheses', '2(a)'],
    ['a factorial sign', 'a!'],
    ['a percent sign', 'a%'],
    ['a transpose', "a'"],
    ['a word operator', 'a mod 2'],
    ['a unary plus', '+a'],
    ['a name that is not declared', 'a + b'],
    ["a constant of mathjs's", 'a + e'],
    ["a unit of mathjs's", 'a + kg'],
    ['a truth value', 'a + true'],
    ['null', 'a + null'],
    ['infinity', 'a + Infinity'],
    ['a number that overflows', 'a + 1e999'],
    ['a function that is not listed', 'gamma(a)'],
    ['a function that reaches out', 'import(a)'],
    ['a function that evaluates', 'evaluate(a)'],
    ['a function of a function', 'sin(a)(a)'],
    ['a function without its call', 'a + sin'],
    ['a parameter that is called', 'a(1)'],
    ['a name of the runtime', 'constructor(a)'],
    ['an inherited name', 'toString(a)'],
    ['too few arguments', 'atan2(a)'],
    ['too many arguments', 'sin(a, a)'],
    ['nothing', ''],
    ['a comment alone', '# a'],
    ['too many parentheses', `${'('.repeat(25)}a${')'.repeat(25)}`],
    ['too many characters', `a${' '.repeat(512)}`],
    ['too deep a chain', `a${'^a'.repeat(80)}`],
    ['too many parts', `a${'+a'.repeat(200)}`],
  ])('refuses %s', (_what, text) => {
    expect(() => parseExpression(text, ['a'])).toThrow(/^(?!.*Cannot).+$/);
    expect(() => parseExpression(text, ['a'])).toThrow(expect.objectContaining({ name: 'ExpressionError' }));
  });

  it('asks that every declared parameter is used', () => {
    expect(() => parseExpression('a', ['a', 'b'])).toThrow(/does not use the parameter b/);
  });
});

describe('compileExpression', () => {
  const value = (text: string, params: Record<string, number> = {}) => {
    const names = Object.keys(params);
    return compileExpression(parseExpression(text, names), names).evaluate(
      Float64Array.from(Object.values(params)),
    );
  };

  it.each<[string, number]>([
    ['1 + 2*3', 7],
    ['-2^2', -4],
    ['2^3^2', 512],
    ['8/4/2', 1],
    ['2^-1', 0.5],
    ['max(1, 3, 2)', 3],
    ['min(4, 3, 2)', 2],
    ['mod(-1, 3)', 2],
    ['round(2.5)', 3],
    ['factorial(5)', 120],
    ['factorial(170)', 7.257415615307994e306],
    ['factorial(171)', Number.POSITIVE_INFINITY],
    ['factorial(1.5)', Number.NaN],
    ['factorial(-1)', Number.NaN],
    ['combinations(52, 5)', 2_598_960],
    ['combinations(5, 6)', Number.NaN],
    ['combinations(1e15, 5e14)', Number.POSITIVE_INFINITY],
    ['combinations(1e15, 2)', 4.999999999999995e29],
    ['sqrt(-1)', Number.NaN],
    ['log(-1)', Number.NaN],
    ['(-8)^(1/3)', Number.NaN],
    ['asin(2)', Number.NaN],
    ['cos(pi)', -1],
    ['erf(0.5)', 0.5204998778130465],
  ])('%s is %d', (text, wanted) => {
    const got = value(text);

    expect(Object.is(got, wanted) || isWithin(got, wanted, 1e-12)).toBe(true);
  });

  it("agrees with mathjs's own evaluator on every vector of the catalogue", () => {
    const differing: string[] = [];
    for (const { id, record, computable } of catalogue.operators) {
      for (const { params } of record.testVectors) {
        const values = computable!.parameters.map(({ name, default: preset }) => params[name] ?? preset!);
        const scope = new Map(computable!.parameters.map(({ name }, i) => [name, values[i]!]));
        const ours = computable!.evaluate(Float64Array.from(values));
        if (!isWithin(ours, math.evaluate(record.expression!, scope), 1e-12)) differing.push(id);
      }
    }

    expect(differing).toEqual([]);
  });
});

describe('dimensionOf', () => {
  const units: Record<string, string> = { m: 'kg', x: 'm', t: 's', n: '1', v: 'm/s', F: 'N', ang: 'rad' };
  const dimensionsOf = (unit: string): Dimensions => parseUnit(unit)!.dimensions;
  const of = (text: string, sample?: Record<string, number>) => {
    const names = Object.keys(units).filter((name) => new RegExp(`\\b${name}\\b`).test(text));
    return describeDimensions(
      dimensionOf(parseExpression(text, names), {
        names,
        dimensions: names.map((name) => dimensionsOf(units[name]!)),
        sample: sample && Float64Array.from(names, (name) => sample[name]!),
      }),
    );
  };

  it.each([
    ['m*v^2/2', 'kg m^2 s^-2'],
    ['x/t + v', 'm s^-1'],
    ['sqrt(F/m*x)', 'm s^-1'],
    ['max(x, v*t)', 'm'],
    ['atan2(x, v*t)', '1'],
    ['sin(ang)*x', 'm'],
    ['x^(1/2)*x^0.5', 'm'],
    ['n^n', '1'],
    ['abs(-x)', 'm'],
  ])('%s measures %s', (text, wanted) => {
    expect(of(text)).toBe(wanted);
  });

  it.each([
    ['x + t', /adds or subtracts m and s/],
    ['x + 1', /adds or subtracts/],
    ['sin(x)', /calls sin with m instead of a pure number/],
    ['exp(t)', /calls exp with s/],
    ['max(x, t)', /calls max with m and s/],
    ['atan2(x, t)', /calls atan2 with m and s/],
    ['n^x', /exponent of m/],
    ['x^n', /exponent that varies/],
  ])('%s is refused', (text, message) => {
    expect(() => of(text)).toThrow(message);
  });

  it('reads an exponent that varies from a sample', () => {
    expect(of('x^n', { x: 1, n: 3 })).toBe('m^3');
  });
});
