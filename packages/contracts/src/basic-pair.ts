/** What providers that take their key as the user name ask for in place of a password. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['', 'x', 'X', '-', 'unused', 'api_token']);

/**
 * What is secret in a Basic pair (RFC 7617, `name:password`): the password, or the user name where the password says nothing.
 *
 * @returns undefined for text that is no pair.
 */
export function secretOfPair(pair: string): string | undefined {
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  const password = pair.slice(colon + 1);
  return SAYS_NOTHING.has(password) ? pair.slice(0, colon) : password;
}
