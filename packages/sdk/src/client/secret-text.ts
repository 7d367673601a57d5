import { invalidArgument } from './zeq-error.ts';

/**
 * A secret that travels in a header. It is checked here, because the runtime's error for a header that it cannot send repeats it.
 *
 * @throws ZeqError that names the option, never the value.
 */
export function parseSecret(secret: string | undefined, option: string): string | undefined {
  if (secret === undefined) return undefined;
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw invalidArgument(`${option} must be visible ASCII characters without blanks.`);
  return secret;
}
