import { NeedleSearch } from '../src/needle-search.ts';
import { formsOf } from '../src/secret-forms.ts';

const SECRET = 'q7Vd0mX2-rT9_aB4kLz8Yw1Nc6Hs3Jf5';

describe('a search for the forms of a secret', () => {
  const search = new NeedleSearch(formsOf(SECRET));
  const base64 = (before: string) => Buffer.from(before + SECRET + before).toString('base64');

  it.each([
    ['as it is', `Authorization: Bearer ${SECRET}`],
    ['in part', `…${SECRET.slice(9, 21)}…`],
    ['in base64, at each alignment', base64('x')],
    ['in base64, at each alignment', base64('xx')],
    ['in base64, at each alignment', base64('xxx')],
    ['in base64url', Buffer.from(`user:${SECRET}`).toString('base64url')],
    ['in hex', Buffer.from(SECRET).toString('hex')],
    ['percent-escaped', SECRET.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)],
    ['JSON-escaped', SECRET.replace(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)],
    ['reversed', [...SECRET].reverse().join('')],
  ])('finds it %s', (_how, text) => {
    expect(search.hitsIn(Buffer.from(text))).not.toEqual([]);
  });

  it('finds it in UTF-16', () => {
    expect(search.hitsIn(Buffer.from(SECRET, 'utf16le'))).not.toEqual([]);
  });

  it('finds nothing in eleven bytes of it, nor in other text', () => {
    expect(search.hitsIn(Buffer.from(SECRET.slice(0, 11)))).toEqual([]);
    expect(search.hitsIn(Buffer.from('Nothing of it stands here. '.repeat(1000)))).toEqual([]);
  });
});
