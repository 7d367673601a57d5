import fc from 'fast-check';
import { GoodbyeWatch } from '../src/calls/web-socket-frames.ts';

const MASK = [1, 2, 3, 4];
const CLOSE = Buffer.from([0x88, 0x80, ...MASK]);
/** A masked frame; what looks like a Close frame in its payload is none. */
function frame(length: number, fill = 0x88): Buffer {
  const head =
    length < 126
      ? [0x80 | length]
      : length < 2 ** 16
        ? [0x80 | 126, length >> 8, length & 0xff]
        : [0x80 | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([0x82, ...head, ...MASK]), Buffer.alloc(length, fill)]);
}

describe('a watch for a goodbye', () => {
  it('sees a Close frame after frames of any length, wherever the bytes are cut, and not before it', () => {
    const lengths = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(0, 125, 126, 65_535, 65_536)), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 4_000 }), (sizes, step) => {
        const before = Buffer.concat(sizes.map((size) => frame(size)));
        const watch = new GoodbyeWatch();
        for (let at = 0; at < before.length; at += step) watch.push(before.subarray(at, at + step));
        const early = watch.seen;
        for (let at = 0; at < CLOSE.length; at += step) watch.push(CLOSE.subarray(at, at + step));
        return !early && watch.seen;
      }),
    );
  });

  it('takes nothing for a frame after one of an impossible length', () => {
    const watch = new GoodbyeWatch();

    watch.push(Buffer.concat([Buffer.from([0x82, 0xff, ...Array(8).fill(0xff), ...MASK]), CLOSE]));

    expect(watch.seen).toBe(false);
  });
});
