import { secretOfPair } from '@zeq/contracts';
import { base64Forms, escapedForms, hexForms, utf16Forms } from './encodings.ts';

/** Shorter forms would match ordinary text; the vault takes no secret that is shorter. */
const MIN_FORM_BYTES = 8;
/** A part of a credential that is given in parameters counts as a secret of its own from this length on. */
const MIN_PART_CHARS = 16;

/**
 * What is looked for in an answer: the secret of a credential as it is, and in the forms in which software writes text that it
 * was given: base64 and base64url wherever the secret begins in the encoded text, hex, percent, JSON and HTML escapes, UTF-16.
 *
 * @param credential The bytes that travel: a header's value or a query parameter's.
 * @returns The longest first, so that what contains another form is found whole. The caller wipes them.
 */
export function formsOf(credential: Buffer): Buffer[] {
  const forms = new Set<string>();
  for (const secret of secretsIn(credential.toString('latin1')))
    for (const form of encodingsOf(secret)) if (form.length >= MIN_FORM_BYTES) forms.add(form);
  return [...forms].sort((a, b) => b.length - a.length).map((form) => Buffer.from(form, 'latin1'));
}

/**
 * What of a value is secret by itself: what follows its scheme (`Bearer …`), the password of a Basic pair (or its user name
 * where the password says nothing), and the long parts of a value in parameters (`Token token="…"`).
 */
function secretsIn(value: string): string[] {
  const bare = value.replace(/^[A-Za-z][A-Za-z0-9_-]{0,31}[ \t]+(?=\S)/, '');
  const parts = bare.split(/[\s,;:="']+/).filter((part) => part.length >= MIN_PART_CHARS);
  if (!/^basic[ \t]/i.test(value)) return [bare, ...parts];
  const inside = secretOfPair(Buffer.from(bare, 'base64').toString('latin1'));
  return inside === undefined ? [bare] : [bare, inside];
}

/** @param secret Bytes as a latin1 string, like all that is returned. */
function encodingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'latin1');
  const forms = [
    secret,
    ...hexForms(bytes),
    ...base64Forms(bytes),
    ...escapedForms(bytes),
    ...utf16Forms(bytes),
  ];
  // whoever takes header bytes for latin1 and answers in UTF-8 writes those beyond ASCII as two
  const misread = bytes.some((byte) => byte > 0x7f) ? Buffer.from(secret, 'utf8') : undefined;
  return misread === undefined ? forms : [...forms, misread.toString('latin1'), ...escapedForms(misread)];
}
