import { secretOfPair } from '@zeq/contracts';

/** Below this, redaction cannot tell the secret from ordinary text at all. */
export const MIN_SECRET_CHARS = 8;
/** Below this, it may still occur by chance. */
const SAFE_SECRET_CHARS = 16;
/** Of a shorter secret nothing is shown. */
const MIN_HINTED_CHARS = 20;
const HINT_CHARS = 4;
const FEW_DIFFERENT_CHARS = 6;

/** The end of the secret, for people to tell keys apart: at most 4 characters, and nothing of a secret shorter than 20. */
export function hintOf(secret: string): string | null {
  const chars = [...secret];
  return chars.length < MIN_HINTED_CHARS ? null : `…${chars.slice(-HINT_CHARS).join('')}`;
}

/** What is secret in a header's value: what follows a scheme (`Bearer …`), and of a Basic pair what is secret in it. */
export function secretPartOf(value: string): string {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9_-]{0,31})[ \t]+(\S.*)$/s.exec(value) ?? [];
  if (scheme === undefined || rest === undefined) return value;
  return scheme.toLowerCase() === 'basic'
    ? (secretOfPair(Buffer.from(rest, 'base64').toString('utf8')) ?? rest)
    : rest;
}

/** Whether a text is what an answer shows in place of a secret, sent back: a hint, a mask, `[redacted]`, nothing. */
export function isPlaceholder(text: string): boolean {
  const bare = secretPartOf(text.replace(/^[^:\s]{1,256}:[ \t]*/, '').trim()).trim();
  if (bare === '' || bare.includes('[redacted]')) return true;
  return MASKED.test(bare);
}

/** Mask characters and at most the 4 that a hint shows. */
const MASKED = /^(?:…|\.{3,}|[*•●·xX]{4,}).{0,4}$/su;

/** What the owner should know of a secret that will be looked for in answers in order to be taken out of them. */
export function assessSecret(secret: string): string[] {
  const chars = [...secret];
  const warnings: string[] = [];
  if (chars.length < SAFE_SECRET_CHARS)
    warnings.push(
      `The secret is shorter than ${SAFE_SECRET_CHARS} characters: it may occur in an answer by chance and be redacted there.`,
    );
  if (
    new Set(chars).size < FEW_DIFFERENT_CHARS ||
    COMMON.has(secret.toLowerCase()) ||
    /^[A-Za-z]+$/.test(secret)
  )
    warnings.push('The secret is common text: it may occur in an answer by chance and be redacted there.');
  return warnings;
}

/** The likeliest of the secrets that nobody should have. */
const COMMON: ReadonlySet<string> = new Set([
  'password1',
  'password123',
  '12345678',
  '123456789',
  '1234567890',
  'changeme1',
  'change-me',
  'qwerty123',
  'secret123',
  'test1234',
  'your-api-key',
  'your_api_key',
]);
