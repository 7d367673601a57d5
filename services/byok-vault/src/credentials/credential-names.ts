/** Header names (RFC 9110, section 5.6.2: token). ASCII only, so lower-casing is safe. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/** Names that frame a message, belong to one hop, or are the mesh's own: a value of the owner's there could split or redirect a call. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  // target and framing
  'host',
  'content-length',
  'content-encoding',
  'content-range',
  'content-type',
  'transfer-encoding',
  'trailer',
  'te',
  'expect',
  'range',
  'max-forwards',
  'accept-encoding',
  'date',
  'set-cookie',
  'set-cookie2',
  // hop by hop (RFC 9110, section 7.6.1)
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'upgrade',
  'http2-settings',
  'alt-svc',
  // where a call came from
  'forwarded',
  'via',
  'x-real-ip',
  'x-request-id',
  'origin',
  'referer',
]);
const FORBIDDEN_PREFIXES = ['x-zeq-', 'x-forwarded-', 'sec-', 'proxy-', 'access-control-', ':'];

/** @returns Why no credential may travel under this name, or undefined. */
export function refuseCredentialName(name: string): string | undefined {
  if (!TOKEN.test(name)) return 'The header name is not a valid one.';
  return isForbidden(name) ? 'A credential cannot travel under this header name.' : undefined;
}

/** Headers that carry secrets by their nature: as extra headers they would be stored in the clear and shown. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-auth-token',
  'x-access-token',
]);

/** @returns Why this header cannot be one of the plain extra headers, or undefined. */
export function refuseExtraHeader(name: string, credentialName: string | undefined): string | undefined {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || isForbidden(name)) return 'extra_headers has a name that cannot be sent.';
  if (SECRET_NAMES.has(lower))
    return 'extra_headers are stored and shown in the clear; put credentials into auth_header.';
  return lower === credentialName?.toLowerCase()
    ? 'extra_headers has the name under which the credential travels.'
    : undefined;
}

/** Some servers read `_` as `-`, so both spellings are one name here. */
function isForbidden(name: string): boolean {
  const folded = name.toLowerCase().replaceAll('_', '-');
  return FORBIDDEN.has(folded) || FORBIDDEN_PREFIXES.some((prefix) => folded.startsWith(prefix));
}
