import { FrameMemory } from '../src/hite/frame-memory.ts';

const MIB = 1024 * 1024;

describe('FrameMemory', () => {
  it('gives an address 16 MiB, and then says why there is no more', () => {
    const memory = new FrameMemory();
    const [one, other] = [memory.hold('a'), memory.hold('a')];

    expect([one.admit(8 * MIB), other.admit(8 * MIB)]).toEqual([undefined, undefined]);
    expect(other.admit(1)).toMatchObject({ code: 'overloaded' });
    expect(memory.hold('b').admit(1)).toBeUndefined();
  });

  it('gives all addresses 64 MiB together', () => {
    const memory = new FrameMemory();
    for (let i = 0; i < 4; i += 1) memory.hold(`10.0.0.${i}`).admit(16 * MIB);

    expect(memory.hold('b').admit(1)).toMatchObject({ code: 'overloaded' });
    expect(memory.bytes).toBe(64 * MIB);
  });

  it('takes back what a frame held, once, and only that', () => {
    const memory = new FrameMemory();
    const [one, other] = [memory.hold('a'), memory.hold('a')];
    one.admit(100);
    one.admit(20);
    other.admit(3);

    one.release();
    one.release();

    expect(memory.bytes).toBe(3);
    other.release();
    expect(memory.bytes).toBe(0);
  });
});
