import { newRequestId, requestIdOf } from '../src/index.ts';

describe('request ids', () => {
  it('are 24 hex digits and differ', () => {
    const ids = Array.from({ length: 1000 }, newRequestId);

    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => /^[0-9a-f]{24}$/.test(id))).toBe(true);
  });

  it.each(['abcdefgh', 'a.b-c_d.12345678'])('keep the usable %j of a caller', (id) => {
    expect(requestIdOf(id)).toBe(id);
  });

  it.each([undefined, '', 'short', 'x'.repeat(65), 'has space', 'new\nline1', '"quoted-text"'])(
    'replace the unusable %j',
    (id) => {
      expect(requestIdOf(id)).toMatch(/^[0-9a-f]{24}$/);
    },
  );
});
