import fc from 'fast-check';
import { assertLength, lengthPrefixed, wipe } from '../src/index.ts';

describe('wipe', () => {
  it('leaves zeros, and only in what it was given', () => {
    const whole = Buffer.from('secret and the rest');

    wipe(whole.subarray(0, 6), new Uint8Array(0));

    expect(whole.toString('latin1')).toBe(`${'\0'.repeat(6)} and the rest`);
  });
});

describe('assertLength', () => {
  it('says what was expected and what came, and nothing of the bytes', () => {
    expect(() => assertLength(Buffer.from('hunter2'), 32, 'key')).toThrow(
      new RangeError('key: expected 32 bytes, got 7'),
    );
    expect(() => assertLength('text' as unknown as Uint8Array, 4, 'key')).toThrow(
      new TypeError('key: expected bytes'),
    );
  });
});

describe('lengthPrefixed', () => {
  it('gives two lists the same bytes only if they are the same list', () => {
    const list = () => fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 });
    fc.assert(
      fc.property(list(), list(), (a, b) => {
        expect(lengthPrefixed(...a).equals(lengthPrefixed(...b))).toBe(
          JSON.stringify(a) === JSON.stringify(b),
        );
      }),
    );
  });
});
