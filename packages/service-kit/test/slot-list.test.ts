import fc from 'fast-check';
import { SlotList } from '../src/slot-list.ts';

describe('SlotList', () => {
  it('holds exactly what a Set would, whatever is added and removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }))), (steps) => {
        const members = Array.from({ length: 10 }, () => ({ slot: -1 }));
        const list = new SlotList<{ slot: number }>();
        const model = new Set<{ slot: number }>();
        for (const [adds, at] of steps) {
          const member = members[at]!;
          if (adds) {
            list.add(member);
            model.add(member);
          } else {
            list.remove(member);
            model.delete(member);
          }
          expect(list.size).toBe(model.size);
        }
        expect(new Set(list.all())).toEqual(model);
        for (const member of members) expect(member.slot >= 0).toBe(model.has(member));
      }),
    );
  });

  it('lets its members go while they are looked at', () => {
    const list = new SlotList<{ slot: number }>();
    for (let i = 0; i < 5; i += 1) list.add({ slot: -1 });

    for (const member of list.all()) list.remove(member);

    expect(list.size).toBe(0);
  });
});
