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

/** UTF-16 in both byte orders, as some systems write text. */
export function utf16Forms(bytes: Buffer): string[] {
  const text = Buffer.from(bytes.toString('utf8'), 'utf16le');
  return [text.toString('latin1'), Buffer.from(text).swap16().toString('latin1')];
}

/** Percent, JSON and HTML escapes, as common encoders write them. */
export function escapedForms(bytes: Buffer): string[] {
  const text = bytes.toString('utf8');
  return [...percentForms(bytes), ...[...jsonForms(text), ...htmlForms(text)].map(toLatin1)];
}

/** Encoders differ in what they leave alone; space, control characters and what is beyond ASCII they all escape. */
const KEPT: readonly RegExp[] = [
  /[A-Za-z0-9\-_.!~*'()]/, // encodeURIComponent
  /[A-Za-z0-9\-_.!~*'();/?:@&=+$,#]/, // encodeURI
  /[A-Za-z0-9\-._~]/, // RFC 3986: unreserved
  /[A-Za-z0-9\-._~/]/, // the same for paths
  /[A-Za-z0-9\-._~$&+:=@]/, // a segment of a path (Go)
  /[A-Za-z0-9\-._*]/, // forms
  /[A-Za-z0-9\-._]/, // forms (PHP)
  /[!$-~]/, // WHATWG URL: queries, where an apostrophe stays,
  /[!$-&(-;=?-~]/, // those where it does not, and without angle brackets
  /[!$-;=@-\]_a-z|~]/, // paths
  /[!$-.0-9A-Z_a-z~]/, // user names and passwords
  /[!#-;=?-_a-~]/, // fragments
];

/** Percent escapes (RFC 3986 section 2.1): of what must be escaped, of everything, and escaped twice. */
function percentForms(bytes: Buffer): string[] {
  const kept = distinct(KEPT, bytes.toString('latin1'));
  const some = kept.flatMap((one) => bothCases(bytes, (hex, char) => (one.test(char) ? char : `%${hex}`)));
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

/** Of encoders that would write the same text, one: most secrets hold nothing about which they differ. */
function distinct(rules: readonly RegExp[], text: string): RegExp[] {
  const chars = [...new Set(text)];
  const byEffect = new Map(rules.map((rule) => [chars.filter((char) => rule.test(char)).join(''), rule]));
  return [...byEffect.values()];
}

const NOTHING = /(?!)/;

/** What encoders of JSON write as `\uXXXX` although they need not. */
const U_ESCAPED: readonly RegExp[] = [
  NOTHING,
  /[^\0-\x7f]/, // those that keep to ASCII
  /[<>&\u2028\u2029]/, // Go, Rails
  /[<>&='\u2028\u2029]/, // Gson
  /[<>&'"]/, // PHP, when it is told to
  /[<>&'"+`]|[^\0-\x7f]/, // .NET
  /[\s\S]/, // everything
];

/** JSON text (RFC 8259 section 7), once and as a string within JSON, with slashes as they are and escaped. */
function jsonForms(text: string): string[] {
  const once = distinct(U_ESCAPED, text).flatMap((escaped) =>
    [false, true].flatMap((upper) => {
      const json = jsonOf(text, escaped, upper);
      return [json, json.replaceAll('/', '\\/')];
    }),
  );
  return [...once, ...once.map((json) => jsonOf(json, NOTHING, false))];
}

function jsonOf(text: string, escaped: RegExp, upper: boolean): string {
  const hexOf = (unit: string) => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${upper ? hex.toUpperCase() : hex}`;
  };
  return Array.from(text, (char) =>
    escaped.test(char) ? char.split('').map(hexOf).join('') : JSON.stringify(char).slice(1, -1),
  ).join('');
}

const APOSTROPHES = ["'", '&#39;', '&#039;', '&#x27;', '&apos;'];
const QUOTES = ['"', '&quot;', '&#34;'];
/** What some templates escape besides (mustache, Go). */
const BESIDES: readonly Readonly<Record<string, string>>[] = [
  {},
  { '/': '&#x2F;', '=': '&#x3D;', '`': '&#x60;' },
  { '+': '&#43;' },
];

function htmlForms(text: string): string[] {
  if (!/[&<>'"/=`+]/.test(text)) return [];
  return APOSTROPHES.flatMap((apostrophe) =>
    QUOTES.flatMap((quote) =>
      BESIDES.map((besides) => {
        const written = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": apostrophe, '"': quote, ...besides };
        return text.replace(/[&<>'"/=`+]/g, (char) => (written as Record<string, string>)[char] ?? char);
      }),
    ),
  );
}

const toLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
