import { redact } from '../src/answer/redact.ts';

const SECRET = 'sk-"quoted"/0123456789';
const pair = Buffer.from('user:pass-0123456789').toString('base64');

describe('redact', () => {
  it.each([
    ['the header value', `Bearer ${SECRET}`, `got Bearer ${SECRET}!`, 'got [redacted]!'],
    ['the bare secret', `Bearer ${SECRET}`, `got ${SECRET}!`, 'got [redacted]!'],
    ['percent escapes', `Bearer ${SECRET}`, `k=${encodeURIComponent(SECRET)}&`, 'k=[redacted]&'],
    ['JSON escapes', `Bearer ${SECRET}`, JSON.stringify({ k: SECRET }), '{"k":"[redacted]"}'],
    ['hex', SECRET, Buffer.from(SECRET).toString('hex'), '[redacted]'],
    ['the password of a Basic pair', `Basic ${pair}`, 'pass-0123456789', '[redacted]'],
    ['a Basic pair in clear', `Basic ${pair}`, 'user:pass-0123456789', '[redacted]'],
    ['a Basic pair as sent', `Basic ${pair}`, `Basic ${pair}`, '[redacted]'],
    ['nothing else', SECRET, 'an ordinary answer', 'an ordinary answer'],
  ])('takes out %s', (_what, credential, text, expected) => {
    expect(redact(text, credential)).toBe(expected);
  });

  it.each([0, 1, 2])(
    'takes out base64 behind %i other bytes, but for what the neighbours share',
    (before) => {
      const text = Buffer.from(`${'x'.repeat(before)}${SECRET}y`).toString('base64');

      const left = redact(text, SECRET);

      expect(left).toContain('[redacted]');
      expect(left.replace('[redacted]', '').length).toBeLessThanOrEqual(8);
    },
  );

  it('leaves ordinary text alone when the secret is too short to be told from it', () => {
    expect(redact('a short answer', 'short')).toBe('a short answer');
  });
});
