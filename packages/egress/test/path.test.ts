import fc from 'fast-check';
import { decodedForms, joinPath } from '../src/index.ts';

describe('joinPath', () => {
  it.each([
    ['', '/', '/'],
    ['/v1', '/', '/v1/'],
    ['/v1', '/models?x=%zz&y=100%', '/v1/models?x=%zz&y=100%'],
    ['', '/q?text=a%0Ab', '/q?text=a%0Ab'],
    ['', '/q?text=a b', '/q?text=a%20b'],
    ['', '/q?..=/../x', '/q?..=/../x'],
    ['', '/.well-known/x', '/.well-known/x'],
    ['', '/a/...', '/a/...'],
    ['', '/v1beta/models/gemini:generateContent?alt=sse', '/v1beta/models/gemini:generateContent?alt=sse'],
  ])('joins "%s" and %s', (base, rest, path) => {
    expect(joinPath(base, rest)).toEqual({ ok: true, path });
  });

  it.each([
    ['/q?a\nb', 'path-control'],
    ['/q?a#b', 'path-fragment'],
    ['/a/%25252e%25252e/b', 'path-dot-segment'],
    ['/a/%2e', 'path-dot-segment'],
    ['/a/..%5cb', 'path-backslash'],
    ['/a%7f', 'path-control'],
  ])('refuses %s by %s', (rest, rule) => {
    expect(joinPath('/base', rest)).toEqual({ ok: false, rule });
  });

  it('never lets a path climb, whatever decodes it once', () => {
    const part = fc.constantFrom('/', '.', '..', '%2e', '%2f', '%252e', ';', 'a', '%5c', '%', '?', ' ', 'é');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const joined = joinPath('/base', `/${parts.join('')}`);
        if (!joined.ok) return;
        expect(joined.path).toMatch(/^\/base\/[\x21-\x7e]*$/);
        expect(new URL(joined.path, 'https://h').pathname).toMatch(/^\/base\//);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('decodedForms', () => {
  it('stops when nothing changes, and at three decodings', () => {
    expect(decodedForms('/a%41')).toEqual(['/a%41', '/aA']);
    expect(decodedForms('/%2525252541')).toHaveLength(4);
  });
});
