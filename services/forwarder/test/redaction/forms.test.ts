import { formsOf } from '../../src/redaction/forms.ts';
import { buildTable, Matcher } from '../../src/redaction/matcher.ts';
import { Redactor } from '../../src/redaction/redactor.ts';

const SECRET = 'sk-"quoted"/0123456789';
const pair = Buffer.from('user:pass-0123456789').toString('base64');

const redact = (text: string, credential: string): string =>
  new Redactor(new Matcher(buildTable(formsOf(Buffer.from(credential, 'utf8')))))
    .end(Buffer.from(text, 'utf8'))
    .toString('utf8');

/** In their place, as long as what was there. */
const gone = (text: string) => `[redacted]${'*'.repeat(Buffer.byteLength(text) - 10)}`;

const htmlOf = (text: string, others: Record<string, string>): string =>
  text.replace(
    /[&<>'"/=`+]/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', ...others })[char] ?? char,
  );

describe('the forms of a credential', () => {
  it.each([
    ['as it is', SECRET],
    ['percent', encodeURIComponent(SECRET)],
    ['percent, in lower case', encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase())],
    ['percent, twice', encodeURIComponent(encodeURIComponent(SECRET))],
    ['percent, of every byte', Buffer.from(SECRET).toString('hex').replace(/../g, '%$&')],
    ['a form', new URLSearchParams({ k: SECRET }).toString().slice(2)],
    ['JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['JSON with escaped slashes', JSON.stringify(SECRET).slice(1, -1).replaceAll('/', '\\/')],
    ['JSON in JSON', JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
    ['JSON escapes of everything', Buffer.from(SECRET).toString('hex').replace(/../g, '\\u00$&')],
    ['HTML', SECRET.replaceAll('"', '&quot;')],
    ['hex', Buffer.from(SECRET).toString('hex')],
    ['hex in upper case', Buffer.from(SECRET).toString('hex').toUpperCase()],
  ])('%s', (_form, text) => {
    expect(redact(`k=${text}&`, `Bearer ${SECRET}`)).toBe(`k=${gone(text)}&`);
  });

  const ODD = `p@ss'w"o<r>d&1+2=3/4\\5 ^6\`7{8}9|~é😀`;
  const u = (upper: boolean) => (char: string) =>
    char
      .split('')
      .map(
        (unit) =>
          `\\u${unit.charCodeAt(0).toString(16)[upper ? 'toUpperCase' : 'toLowerCase']().padStart(4, '0')}`,
      )
      .join('');
  const json = JSON.stringify(ODD).slice(1, -1);
  const place = new URL('x-place://host/');
  place.pathname = `/${ODD}`;
  const url = new URL('https://user@host.example/');
  url.search = `?${ODD}`;
  url.hash = `#${ODD}`;
  url.password = ODD;

  it.each([
    ['Go and Rails JSON', json.replace(/[<>&]/g, u(false))],
    ['Gson', json.replace(/[<>&=']/g, u(false))],
    ['.NET JSON', json.replaceAll('\\"', u(true)('"')).replace(/[<>&'+`]|[^\0-\x7f]/gu, u(true))],
    ['PHP JSON', json.replaceAll('/', '\\/').replace(/[^\0-\x7f]/gu, u(false))],
    [
      '.NET JSON in JSON',
      JSON.stringify(json.replaceAll('\\"', u(true)('"')).replace(/[<>&'+`]|[^\0-\x7f]/gu, u(true))).slice(
        1,
        -1,
      ),
    ],
    ['the path of a URL', place.pathname.slice(1)],
    ['the query of a URL', url.search.slice(1)],
    ['the fragment of a URL', url.hash.slice(1)],
    ['the password of a URL', url.password],
    ['encodeURI', encodeURI(ODD)],
    ['Python HTML', htmlOf(ODD, { "'": '&#x27;', '"': '&quot;' })],
    ['Go HTML', htmlOf(ODD, { "'": '&#39;', '"': '&#34;', '+': '&#43;' })],
    ['PHP HTML', htmlOf(ODD, { "'": '&#039;', '"': '&quot;' })],
    ['mustache', htmlOf(ODD, { "'": '&#39;', '"': '&quot;', '/': '&#x2F;', '=': '&#x3D;', '`': '&#x60;' })],
  ])('of a secret with everything in it, as %s writes it', (_encoder, text) => {
    expect(redact(`k=${text}~`, `Bearer ${ODD}`)).toBe(`k=${gone(text)}~`);
  });

  it.each(['LE', 'BE'])('UTF-16%s', (order) => {
    const text = Buffer.from(`k=${ODD}&`, 'utf16le');
    const data = order === 'LE' ? text : Buffer.from(text).swap16();

    const left = new Redactor(new Matcher(buildTable(formsOf(Buffer.from(ODD))))).end(data);

    expect(left.toString('latin1')).toMatch(/^\0?k\0?\0?=\0?\[redacted\]\*+\0?&\0?$/);
  });

  it.each(['base64', 'base64url'] as const)('%s, whatever stands before and behind', (encoding) => {
    for (const before of ['', 'x', 'xy', 'xyz', 'Bearer '])
      for (const behind of ['', 'y', 'yz', '\nmore']) {
        const text = Buffer.from(before + SECRET + behind).toString(encoding);

        const left = redact(text, SECRET);

        expect(left).toHaveLength(text.length);
        expect(left).toContain('[redacted]');
        // only the characters at the ends, which share bits with the neighbours, may be left of it
        expect(left.replace(/\[redacted\]\*+/, '').length).toBeLessThanOrEqual(
          Math.ceil(((before.length + behind.length) * 4) / 3) + 5,
        );
      }
  });

  it.each([
    ['the password of a Basic pair', 'pass-0123456789', gone('pass-0123456789')],
    ['a Basic pair in clear', 'user:pass-0123456789', `user:${gone('pass-0123456789')}`],
    ['a Basic pair as it travels', `Basic ${pair}`, `Basic ${gone(pair)}`],
    ['the hex of a Basic pair', Buffer.from(pair).toString('hex'), gone(pair + pair)],
  ])('%s', (_what, text, expected) => {
    expect(redact(text, `Basic ${pair}`)).toBe(expected);
  });

  it.each(['', 'X', 'api_token'])(
    'takes a Basic user name for the secret beside the password %j',
    (password) => {
      const pair = Buffer.from(`rk_test_0123456789:${password}`).toString('base64');
      expect(redact('no such key: rk_test_0123456789', `Basic ${pair}`)).toBe(
        `no such key: ${gone('rk_test_0123456789')}`,
      );
    },
  );

  it('takes the long parts of a value in parameters for secrets of their own', () => {
    expect(redact('bad token 0123456789abcdef', 'Token token="0123456789abcdef", id="7"')).toBe(
      `bad token ${gone('0123456789abcdef')}`,
    );
  });

  it.each([
    ['UTF-8', 'schlüssel-ß-123', 'schlüssel-ß-123'],
    ['UTF-8 that was taken for latin1', 'schlüssel-ß-123', Buffer.from('schlüssel-ß-123').toString('latin1')],
    ['JSON in ASCII', 'schlüssel-ß-123', 'schl\\u00fcssel-\\u00df-123'],
  ])('text beyond ASCII: %s', (_what, secret, text) => {
    expect(redact(text, secret)).not.toMatch(/ssel-/);
  });

  it('knows of no form that ordinary text would hold', () => {
    expect(formsOf(Buffer.from('Bearer short'))).toEqual(
      formsOf(Buffer.from('short')).filter(({ length }) => length >= 8),
    );
    expect(redact('an ordinary answer', SECRET)).toBe('an ordinary answer');
  });
});
