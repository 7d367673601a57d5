/** Text here is latin1: a character for a byte. */

/** Base16, both cases (RFC 4648 section 8). */
export function hexForms(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase()];
}

/**
 * Base64 and base64url (RFC 4648 sections 4 and 5) of text that holds the bytes, in all three alignments: the characters that
 * hold nothing but bits of them; those at the ends depend on the neighbours as well.
 */
export function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((8 * before) / 6);
    const to = Math.floor((8 * padded.length) / 6);
    return [padded.toString('base64').slice(from, to), padded.toString('base64url').slice(from, to)];
  });
}

/** Percent, JSON and HTML escapes, as common encoders write them. */
export function escapedForms(bytes: Buffer): string[] {
  const text = bytes.toString('utf8');
  const json = [jsonOf(text), jsonOf(jsonOf(text)), jsonOf(text).replaceAll('/', '\\/'), asciiJsonOf(text)];
  return [
    ...percentForms(bytes),
    ...json.map(toLatin1),
    ...bothCases(bytes, (hex) => `\\u00${hex}`),
    toLatin1(htmlOf(text, '&#39;', '&quot;')),
    toLatin1(htmlOf(text, '&#x27;', '&#34;')),
  ];
}

/** Escapes that are left alone differ: encodeURIComponent, RFC 3986, those that keep slashes, and forms. */
const KEPT = [/[A-Za-z0-9\-_.!~*'()]/, /[A-Za-z0-9\-._~]/, /[A-Za-z0-9\-._~/]/, /[A-Za-z0-9\-._*]/] as const;

/** Percent escapes (RFC 3986 section 2.1): of what must be escaped, of everything, and escaped twice. */
function percentForms(bytes: Buffer): string[] {
  const some = KEPT.flatMap((kept) => bothCases(bytes, (hex, char) => (kept.test(char) ? char : `%${hex}`)));
  const asForm = some.map((text) => text.replaceAll('%20', '+'));
  const twice = some.map((text) => text.replaceAll('%', '%25'));
  return [...some, ...asForm, ...twice, ...bothCases(bytes, (hex) => `%${hex}`)];
}

function bothCases(bytes: Buffer, write: (hex: string, char: string) => string): string[] {
  const all = (upper: boolean) =>
    Array.from(bytes, (byte) => {
      const hex = byte.toString(16).padStart(2, '0');
      return write(upper ? hex.toUpperCase() : hex, String.fromCharCode(byte));
    }).join('');
  return [all(false), all(true)];
}

const jsonOf = (text: string): string => JSON.stringify(text).slice(1, -1);

/** What encoders write that keep to ASCII. */
const asciiJsonOf = (text: string): string =>
  jsonOf(text).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const htmlOf = (text: string, apostrophe: string, quote: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", apostrophe)
    .replaceAll('"', quote);

const toLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
