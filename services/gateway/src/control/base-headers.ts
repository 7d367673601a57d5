import type { ServerResponse } from 'node:http';
import { landauerHeaders } from '@zeq/crypto';

/**
 * What every answer carries, whoever makes it. An answer under the mesh's origin may hold whatever an upstream sends, so
 * a browser is told to run none of it, to guess no type, and to keep no copy.
 */
const BASE: readonly (readonly [string, string])[] = [
  ...Object.entries(landauerHeaders()),
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  [
    'Content-Security-Policy',
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
  ],
  ['Cache-Control', 'no-store'],
];

/** In a raw array, for answers whose head is written in one go. */
export const BASE_RAW: readonly string[] = BASE.flat();

/** The names above in lower case: an upstream's own lines of these names are left out. */
export const BASE_NAMES: ReadonlySet<string> = new Set(BASE.map(([name]) => name.toLowerCase()));

/** As the text of a head, for answers that are written to a bare socket. */
export const BASE_LINES = BASE.map(([name, value]) => `${name}: ${value}\r\n`).join('');

/** On a response that is not yet begun. */
export function setBaseHeaders(res: ServerResponse): void {
  for (const [name, value] of BASE) res.setHeader(name, value);
}
