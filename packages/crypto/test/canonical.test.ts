import fc from 'fast-check';
import { canonicalJson } from '../src/index.ts';

describe('canonicalJson', () => {
  it('writes the example of RFC 8785, section 3.2.3, byte for byte', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };

    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts names by UTF-16 code units (RFC 8785, section 3.2.3)', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 };

    expect(Object.keys(JSON.parse(canonicalJson(value)) as object).filter((name) => name !== '1')).toEqual([
      '\r',
      '\u0080',
      'ö',
      '\u20ac',
      '\u{1f600}',
      '\ufb33',
    ]);
  });

  it('is one text for one value, whatever the order of its members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a hole in an array', new Array(2)],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
  ])('refuses %s', (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %d', (number) => {
    expect(() => canonicalJson([number])).toThrow(RangeError);
  });

  it('refuses a cycle and nesting deeper than 64 levels', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);

    expect(() => canonicalJson(cycle)).toThrow('canonical JSON: deeper than 64 levels');
  });
});
