const CENSOR = '[redacted]';
/** Shorter secrets would match ordinary text. */
const MIN_CHARS = 8;

/**
 * Takes a credential out of text in its simple forms: as it is, without its scheme (`Bearer …`), a Basic pair and its
 * password, and each of them in base64 and base64url (wherever it begins in the encoded text), percent, hex and JSON escapes.
 */
export function redact(text: string, credential: string): string {
  let out = text;
  for (const form of formsOf(credential)) out = out.replaceAll(form, CENSOR);
  return out;
}

function formsOf(credential: string): string[] {
  const forms = new Set(secretsIn(credential).flatMap(encodingsOf));
  return [...forms].filter((form) => form.length >= MIN_CHARS).sort((a, b) => b.length - a.length);
}

/** What of a header value is secret by itself. */
function secretsIn(credential: string): string[] {
  const bare = credential.replace(/^[A-Za-z][A-Za-z0-9-]{1,20} +/, '');
  const secrets = [credential, bare];
  if (/^basic /i.test(credential)) {
    const pair = Buffer.from(bare, 'base64').toString('utf8');
    secrets.push(pair, pair.slice(pair.indexOf(':') + 1));
  }
  return secrets.filter((secret) => secret.length >= MIN_CHARS);
}

function encodingsOf(secret: string): string[] {
  const hex = Buffer.from(secret, 'utf8').toString('hex');
  const plain = [
    secret,
    encodeURIComponent(secret),
    hex,
    hex.toUpperCase(),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [
    ...plain,
    ...[0, 1, 2].flatMap((before) => [
      inBase64(secret, before, 'base64'),
      inBase64(secret, before, 'base64url'),
    ]),
  ];
}

/**
 * The characters of the encoded text that hold nothing but bits of the secret, when `before` bytes (modulo 3) precede it; those
 * at its ends depend on the neighbours as well.
 */
function inBase64(secret: string, before: number, encoding: 'base64' | 'base64url'): string {
  const bits = 8 * (before + Buffer.byteLength(secret));
  const text = Buffer.from('\0'.repeat(before) + secret, 'utf8').toString(encoding);
  return text.slice(Math.ceil((8 * before) / 6), Math.floor(bits / 6));
}
