import { inspect } from 'node:util';
import { type CredentialInput, parseCredential } from '../src/credentials/credential.ts';
import { isPlaceholder } from '../src/credentials/secret-strength.ts';

const LONG = 'sk-0123456789abcdefghij'; // 23 characters

const parse = (input: CredentialInput, provider: Parameters<typeof parseCredential>[1] = null) => {
  const credential = parseCredential(input, provider);
  if (credential === undefined) return undefined;
  const { shape, value, hint, warnings } = credential;
  return { shape, value: value.reveal().toString('utf8'), hint, warnings: warnings.length };
};

const refusalOf = (input: CredentialInput, provider: Parameters<typeof parseCredential>[1] = null) => {
  try {
    parseCredential(input, provider);
  } catch (err) {
    return err as { code: string; message: string };
  }
  throw new Error('it was accepted');
};

describe('parseCredential', () => {
  it('finds none where none is given', () => {
    expect(parseCredential({}, 'openai')).toBeUndefined();
  });

  it.each([
    ['Authorization: Bearer', `Authorization: Bearer ${LONG}`, 'Authorization', `Bearer ${LONG}`],
    ['no blank', `x-api-key:${LONG}`, 'x-api-key', LONG],
    ['blanks around', `X-Key: \t ${LONG} \t`, 'X-Key', LONG],
    ['a colon in the value', `X-Key: a:${LONG}`, 'X-Key', `a:${LONG}`],
  ])('reads a whole line: %s', (_what, line, name, value) => {
    expect(parse({ auth_header: line })).toEqual({
      shape: { type: 'header', name },
      value,
      hint: '…ghij',
      warnings: 0,
    });
  });

  it('reads the sample of the documentation, dots and all', () => {
    expect(parse({ auth_header: 'Authorization: Bearer sk-…your-own-key…' })).toMatchObject({
      value: 'Bearer sk-…your-own-key…',
    });
  });

  it('reads a query parameter', () => {
    expect(parse({ auth: { type: 'query', name: 'key', value: LONG } })).toEqual({
      shape: { type: 'query', name: 'key' },
      value: LONG,
      hint: '…ghij',
      warnings: 0,
    });
  });

  it('makes the header of a basic pair, and takes the password for the secret', () => {
    expect(parse({ auth: { type: 'basic', username: 'u', password: LONG } })).toEqual({
      shape: { type: 'basic' },
      value: `Basic ${Buffer.from(`u:${LONG}`).toString('base64')}`,
      hint: '…ghij',
      warnings: 0,
    });
    for (const password of ['', 'X', 'api_token'])
      expect(parse({ auth: { type: 'basic', username: LONG, password } })).toMatchObject({ hint: '…ghij' });
  });

  it('puts a bare key where its provider wants it', () => {
    expect(parse({ api_key: LONG }, 'openai')).toMatchObject({
      shape: { type: 'header', name: 'Authorization' },
      value: `Bearer ${LONG}`,
    });
    expect(parse({ api_key: LONG }, 'anthropic')).toMatchObject({
      shape: { type: 'header', name: 'x-api-key' },
      value: LONG,
    });
    expect(parse({ api_key: 'dollar-$&-$1-patterns' }, 'openai')).toMatchObject({
      value: 'Bearer dollar-$&-$1-patterns',
    });
  });

  it.each([
    ['two at once', { auth_header: `A: ${LONG}`, api_key: LONG }],
    ['a bare key without a provider', { api_key: LONG }],
    ['no colon', { auth_header: LONG }],
    ['no name', { auth_header: `: ${LONG}` }],
    ['no value', { auth_header: 'Authorization:' }],
    ['a blank in the name', { auth_header: `My Key: ${LONG}` }],
    ['a name outside ASCII', { auth_header: `\u212Aey: ${LONG}` }],
    ['CR', { auth_header: `A: ${LONG}\rx` }],
    ['LF', { auth_header: `A: ${LONG}\nB: x` }],
    ['CRLF in a name', { auth: { type: 'header' as const, name: 'A\r\nB', value: LONG } }],
    ['NUL', { auth_header: `A: ${LONG}\0` }],
    ['DEL', { auth_header: `A: ${LONG}\x7f` }],
    ['letters whose low bytes are CR and LF', { auth_header: `A: ${LONG}\u010d\u010aB: x` }],
    ['a lone surrogate', { auth_header: `A: ${LONG}\ud800` }],
    ['LF in a query value', { auth: { type: 'query' as const, name: 'key', value: `${LONG}\n` } }],
    ['a colon in a user name', { auth: { type: 'basic' as const, username: 'a:b', password: LONG } }],
    ['LF in a password', { auth: { type: 'basic' as const, username: 'a', password: `${LONG}\n` } }],
    ['4097 bytes', { auth_header: `A: ${'k'.repeat(4094)}` }],
    ['4097 bytes of two-byte letters', { auth_header: `A: ${'é'.repeat(2047)}` }],
  ])('refuses %s, without repeating it', (_what, input) => {
    const { code, message } = refusalOf(input);

    expect(code).toBe('auth_header_refused');
    expect(message).not.toContain(LONG);
  });

  it('takes 4096 bytes', () => {
    expect(parse({ auth_header: `A: ${'k1'.repeat(2046)}x` })).toMatchObject({ shape: { name: 'A' } });
  });

  it('refuses a key for a provider that takes none', () => {
    expect(refusalOf({ api_key: LONG }, 'ollama').code).toBe('auth_header_refused');
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Upgrade',
    'Expect',
    'HTTP2-Settings',
    'Content-Encoding',
    'Content-Type',
    'Accept-Encoding',
    'Forwarded',
    'X-Forwarded-For',
    'Via',
    'Set-Cookie',
    'X-Zeq-Service',
    'x-zeq-anything',
    'Sec-WebSocket-Key',
    'transfer_encoding',
    'X_Zeq_Service',
  ])('refuses %s as the place of a credential', (name) => {
    expect(refusalOf({ auth_header: `${name}: ${LONG}` }).code).toBe('auth_header_refused');
    expect(refusalOf({ auth: { type: 'header', name, value: LONG } }).code).toBe('auth_header_refused');
  });

  it('takes a cookie, which some services want', () => {
    expect(parse({ auth_header: `Cookie: session=${LONG}` })).toMatchObject({ shape: { name: 'Cookie' } });
  });

  it.each([
    '',
    '…ghij',
    'Authorization: …ghij',
    'Authorization: Bearer …ghij',
    'Authorization: Bearer ****ghij',
    'Authorization: ********',
    'Authorization: Bearer ...ghij',
    'Authorization: Bearer ••••••••',
    '[redacted]',
    'Authorization: [redacted]',
    'Authorization: Bearer [redacted]',
  ])('refuses what an answer showed, sent back: %s', (line) => {
    expect(refusalOf({ auth_header: line }).code).toBe('auth_header_refused');
    if (line !== '')
      expect(refusalOf({ auth: { type: 'query', name: 'k', value: line } }).code).toMatch(/refused|body/);
  });

  it('refuses a secret under 8 characters, whatever stands around it', () => {
    expect(refusalOf({ auth_header: 'Authorization: Bearer 1234567' }).code).toBe('invalid_body');
    expect(
      refusalOf({ auth: { type: 'basic', username: 'a-long-user-name', password: 'hunter2' } }).code,
    ).toBe('invalid_body');
    expect(parse({ auth_header: 'Authorization: Bearer 1a2b3c4d' })).toMatchObject({ warnings: 1 });
  });

  it.each([
    ['15 characters', 'Zx9-0aQ_7bW.3cE', 1],
    ['16 characters', 'Zx9-0aQ_7bW.3cE5', 0],
    ['few different characters', 'abababababababababab', 1],
    ['a word', 'incomprehensibilities', 1],
    ['a short word that everybody takes', 'password123', 2],
  ])('warns of a secret that may occur by chance: %s', (_what, secret, warnings) => {
    expect(parse({ auth_header: `X-Key: ${secret}` })?.warnings).toBe(warnings);
  });

  it.each(Array.from({ length: 30 }, (_, i) => i + 8))('shows at most 4 characters of %i', (length) => {
    const secret = Array.from({ length }, (_, i) => 'qwertzuiopasdfghjklyxcvbnm0123456789'[i]).join('');

    const hint = parse({ auth_header: `Authorization: Bearer ${secret}` })?.hint;

    expect(hint).toBe(length < 20 ? null : `…${secret.slice(-4)}`);
  });

  it('hints at the password of a ready-made Basic pair, not at its base64', () => {
    const pair = (password: string) => Buffer.from(`user:${password}`).toString('base64');

    expect(parse({ auth_header: `Authorization: Basic ${pair('only-9-ch')}` })?.hint).toBeNull();
    expect(parse({ auth_header: `Authorization: Basic ${pair(LONG)}` })?.hint).toBe('…ghij');
  });

  it('keeps the secret out of whatever prints it', () => {
    const credential = parseCredential({ auth_header: `Authorization: Bearer ${LONG}` }, null);

    expect(`${credential?.value}`).toBe('[redacted]');
    expect(JSON.stringify(credential)).not.toContain(LONG);
    expect(inspect(credential, { depth: 10, showHidden: true })).not.toContain(LONG);
  });
});

describe('isPlaceholder', () => {
  it('leaves real keys alone', () => {
    for (const key of ['sk-…your-own-key…', 'xoxb-1234567890-abc', 'Bearer sk-abc123', 'AKIAXXXXEXAMPLE123'])
      expect(isPlaceholder(key)).toBe(false);
  });
});
