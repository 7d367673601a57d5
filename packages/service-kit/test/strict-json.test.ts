import { parseStrictJson } from '../src/strict-json.ts';

const parse = (text: string, maxDepth?: number, maxNames?: number) =>
  parseStrictJson(Buffer.from(text), maxDepth, maxNames);

describe('parseStrictJson', () => {
  it('reads JSON', () => {
    expect(parse('{"a":[1,"x",{"b":null}]}')).toEqual({ a: [1, 'x', { b: null }] });
  });

  it.each([
    ['a name given twice', '{"a":1,"a":2}'],
    ['a name given twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a name given twice around another object', '{"a":{"b":1},"a":{"b":1,"c":2}}'],
    ['a way to a prototype', '{"__proto__":1}'],
    ['another way to a prototype', '{"constructor":{"prototype":1}}'],
    ['a byte order mark', '\ufeff{}'],
    ['half a value', '{"a":'],
    ['nothing', ''],
    ['65 levels', '['.repeat(65) + ']'.repeat(65)],
  ])('refuses %s', (_what, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid_json' }));
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/);
  });

  it('counts names, objects and arrays together against its limit, and no other values', () => {
    const text = '{"a":{"b":["c:","d"]},"e":[{"f":1}]}';

    expect(parse(text, 64, 9)).toEqual(JSON.parse(text));
    expect(() => parse(text, 64, 8)).toThrow(/more than 8 names/);
  });
});
