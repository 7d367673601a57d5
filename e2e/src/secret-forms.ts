const WINDOW_BYTES = 12;

/**
 * The forms in which a secret may have leaked: raw, base64 at its three alignments, base64url, hex in both cases, percent
 * (once and twice), JSON `\u` escapes, UTF-16 in both byte orders, reversed; of each, every window of 12 bytes, because a
 * part is a leak too.
 *
 * @returns Each window with the name of its form; one that several forms share appears once.
 */
export function formsOf(secret: string): [form: string, bytes: Buffer][] {
  const forms: Record<string, Buffer> = {
    raw: Buffer.from(secret),
    reversed: Buffer.from([...secret].reverse().join('')),
    hex: Buffer.from(Buffer.from(secret).toString('hex')),
    HEX: Buffer.from(Buffer.from(secret).toString('hex').toUpperCase()),
    percent: Buffer.from(percent(secret)),
    'percent twice': Buffer.from(percent(secret).replaceAll('%', '%25')),
    'JSON escapes': Buffer.from([...secret].map((char) => `\\u${code(char, 4)}`).join('')),
    'UTF-16 little endian': Buffer.from(secret, 'utf16le'),
    'UTF-16 big endian': Buffer.from(secret, 'utf16le').swap16(),
  };
  for (const alignment of [0, 1, 2]) {
    forms[`base64 at ${alignment}`] = base64Inside(secret, alignment, 'base64');
    forms[`base64url at ${alignment}`] = base64Inside(secret, alignment, 'base64url');
  }
  const windows: [string, Buffer][] = [];
  const seen = new Set<string>();
  for (const [form, bytes] of Object.entries(forms)) {
    for (let at = 0; at + WINDOW_BYTES <= bytes.length; at += 1) {
      const window = bytes.subarray(at, at + WINDOW_BYTES);
      const key = window.toString('latin1');
      if (!seen.has(key)) windows.push([form, window]);
      seen.add(key);
    }
  }
  return windows;
}

const code = (char: string, digits: number) => char.charCodeAt(0).toString(16).padStart(digits, '0');
const percent = (text: string) => [...text].map((char) => `%${code(char, 2).toUpperCase()}`).join('');

/** The middle of the base64 form when `alignment` bytes stand before the secret: its ends depend on the neighbours. */
function base64Inside(secret: string, alignment: number, encoding: 'base64' | 'base64url'): Buffer {
  const text = Buffer.from('~'.repeat(alignment) + secret)
    .toString(encoding)
    .replace(/=+$/, '');
  return Buffer.from(text.slice(4, text.length - 4));
}
