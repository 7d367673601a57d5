import { createHash, randomBytes } from 'node:crypto';
import { MASTER_KEY_REFUSALS, type MasterKeyRefusal, parseMasterKey } from '../src/index.ts';

const sha = (word: string) => createHash('sha256').update(word).digest('hex');

describe('parseMasterKey', () => {
  it('takes what `openssl rand -hex 32` writes', () => {
    for (let i = 0; i < 10_000; i += 1) {
      const key = randomBytes(32);
      expect(parseMasterKey(`${key.toString('hex')}\n`)).toEqual({ ok: true, key });
    }
  });

  it.each<[string, string | undefined, MasterKeyRefusal]>([
    ['nothing', undefined, 'missing'],
    ['an empty text', '', 'missing'],
    ['blanks', '  \n', 'missing'],
    [
      'base64',
      randomBytes(32)
        .toString('base64')
        .replace(/[0-9a-f]/g, 'z'),
      'not_hex',
    ],
    ['a 0x prefix', `0x${'ab'.repeat(32)}`, 'not_hex'],
    ['16 bytes', randomBytes(16).toString('hex'), 'too_short'],
    ['31 bytes', randomBytes(31).toString('hex'), 'too_short'],
    ['63 digits', randomBytes(32).toString('hex').slice(1), 'too_short'],
    ['33 bytes', randomBytes(33).toString('hex'), 'too_long'],
    ['zeros', '0'.repeat(64), 'repeated'],
    ['0123456789abcdef four times', '0123456789abcdef'.repeat(4), 'repeated'],
    ['deadbeef eight times', 'deadbeef'.repeat(8), 'repeated'],
    ['a random half said twice', randomBytes(16).toString('hex').repeat(2), 'repeated'],
    ['a pattern of 5 bytes, cut off', '1234567890'.repeat(7).slice(0, 64), 'repeated'],
    ['few different bytes', `${'11223344'.repeat(7)}44332211`, 'repeated'],
    [
      'bytes that count up',
      Buffer.from(Array.from({ length: 32 }, (_x, i) => i)).toString('hex'),
      'sequential',
    ],
    [
      'bytes that count down',
      Buffer.from(Array.from({ length: 32 }, (_x, i) => 255 - i)).toString('hex'),
      'sequential',
    ],
    ['a passphrase in hex', Buffer.from('correct horse battery staple 12!').toString('hex'), 'text'],
    ['the hash of nothing', sha(''), 'published'],
    ['the hash of a word', sha('password'), 'published'],
    ['a key of NIST', '603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4', 'published'],
  ])('refuses %s', (_what, hex, refusal) => {
    expect(parseMasterKey(hex)).toEqual({ ok: false, refusal, message: MASTER_KEY_REFUSALS[refusal] });
  });

  it('says how to make a good one, and nothing of the bad one', () => {
    const parsed = parseMasterKey('deadbeef'.repeat(8));

    expect(parsed).toMatchObject({ message: expect.stringContaining('openssl rand -hex 32') });
    expect(JSON.stringify(parsed)).not.toContain('deadbeef');
  });
});
