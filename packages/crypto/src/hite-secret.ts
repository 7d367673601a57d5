import { notRandom } from './randomness.ts';

const MIN_BYTES = 32;

/**
 * Why a ZEQ_HITE_SECRET is refused, as a text that follows the variable's name; undefined for a good one. The 100,000 rounds of the
 * session's derivation are sound only over a secret that was drawn at random: a passphrase would need more.
 *
 * @param secret 32 random bytes or more as hex, base64 or base64url.
 */
export function hiteSecretRefusal(secret: string): string | undefined {
  const bytes = decoded(secret);
  const found = bytes === undefined || bytes.length < MIN_BYTES ? 'short' : notRandom(bytes);
  if (found === undefined) return undefined;
  const why = found === 'short' ? '' : ' that were drawn at random';
  return `must be at least ${MIN_BYTES} bytes${why}, as hex or base64; make one: openssl rand -hex 32`;
}

function decoded(text: string): Buffer | undefined {
  if (/^([0-9a-fA-F]{2})+$/.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
