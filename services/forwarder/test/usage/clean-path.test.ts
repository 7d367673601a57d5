import { formsOf } from '../../src/redaction/forms.ts';
import { buildTable, Matcher } from '../../src/redaction/matcher.ts';
import { cleanPath } from '../../src/usage/clean-path.ts';

const CREDENTIAL = 'Bearer plain words as a key';
const matcherOf = (credential: string) => new Matcher(buildTable(formsOf(Buffer.from(credential))));
const secrets = matcherOf(CREDENTIAL);

describe('cleanPath', () => {
  it.each([
    '/',
    '/v1/chat/completions',
    '/v1/models/gpt-4o-2024-08-06',
    '/v1beta/models/gemini-2.5-flash-preview-05-20:streamGenerateContent',
    '/orders/123e4567-e89b-12d3-a456-426614174000/lines/7',
    '/openai/deployments/my-gpt/chat/completions',
    '/internationalizationSettings',
    '//double//slashes/',
    '/caf%C3%A9',
    '',
  ])('shows %j as it is', (path) => {
    expect(cleanPath(path, secrets)).toBe(path);
  });

  it.each([
    ['/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage', '/[redacted]/sendMessage'],
    ['/bot123456789%3AAAHdqTcvCH1vGWJx/getMe', '/[redacted]/getMe'],
    ['/x/zsm_short/y', '/x/[redacted]/y'],
    ['/x/zat_0123456789abcdef/y', '/x/[redacted]/y'],
    ['/x/sk-proj-abc/y', '/x/[redacted]/y'],
    ['/services/T000/B000/abcdefghij0123456789abcd', '/services/T000/B000/[redacted]'],
    ['/keys/4f1c2b9e7d5a4f1c2b9e7d5a4f1c2b9e', '/keys/[redacted]'],
    ['/jwt/eyJhbGciOiJIUzI1NiJ9.e30.x', '/jwt/[redacted]'],
  ])('hides a segment that looks like a secret: %s', (path, shown) => {
    expect(cleanPath(path, undefined)).toBe(shown);
  });

  it.each([
    ['/a/plain words as a key/b', '/a/[redacted]/b'],
    ['/a/x-plain%20words%20as%20a%20key-y/b', '/a/[redacted]/b'],
    [`/a/${Buffer.from('plain words as a key').toString('base64url')}`, '/a/[redacted]'],
  ])('hides a segment that holds the credential, in whatever form: %s', (path, shown) => {
    expect(cleanPath(path, secrets)).toBe(shown);
  });

  it('hides every segment that a credential with slashes touches', () => {
    const shown = cleanPath('/a/xsome/key/of-slashes-y/b', matcherOf('some/key/of-slashes'));

    expect(shown).toBe('/a/[redacted]/[redacted]/[redacted]/b');
  });

  it('leaves the query behind', () => {
    expect(cleanPath('/v1/x?key=abc&a=/b', undefined)).toBe('/v1/x');
    expect(cleanPath('?key=abc', undefined)).toBe('');
  });

  it('keeps 256 characters at most', () => {
    const shown = cleanPath(`/${'long-'.repeat(200)}`, undefined);

    expect(shown).toHaveLength(256);
    expect(shown.endsWith('…')).toBe(true);
    expect(cleanPath(`/${'long-'.repeat(51)}`, undefined)).toHaveLength(256);
  });
});
