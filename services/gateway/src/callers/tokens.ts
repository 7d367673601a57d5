/** `zsm_` or `zat_` and 43 characters of base62 (crypto's mintToken). */
const TOKEN = /^z(?:sm|at)_[0-9A-Za-z]{43}$/;
const TOKEN_CHARS = 47;
const LETTER_Z = 0x7a;
const SPACE = 0x20;
/** A longer Basic pair holds no token of ours. */
const MAX_BASIC_CHARS = 1024;
const BASIC = /^basic +([A-Za-z0-9+/=_-]+)$/i;

/**
 * Finds a mesh token in a header's value: alone, behind a scheme (`Bearer`, `Token`, whatever the provider calls it), or
 * as one half of a Basic pair.
 */
export function tokenInHeader(value: string): string | undefined {
  const at = value.length - TOKEN_CHARS;
  if (at >= 0 && value.charCodeAt(at) === LETTER_Z && (at === 0 || value.charCodeAt(at - 1) === SPACE)) {
    const token = at === 0 ? value : value.slice(at);
    if (TOKEN.test(token)) return token;
  }
  return value.length <= MAX_BASIC_CHARS && isBasic(value) ? tokenInBasic(value) : undefined;
}

/** Cheap look at the first letter, because every header of every request comes by here. */
const isBasic = (value: string) => (value.charCodeAt(0) | 0x20) === 0x62 && BASIC.test(value);

function tokenInBasic(value: string): string | undefined {
  const pair = Buffer.from(BASIC.exec(value)?.[1] ?? '', 'base64').toString('latin1');
  const colon = pair.indexOf(':');
  const halves = colon < 0 ? [pair] : [pair.slice(0, colon), pair.slice(colon + 1)];
  return halves.find((half) => TOKEN.test(half));
}

export interface StrippedTarget {
  /** The target without the parameters that held a token; every other byte as it came. */
  target: string;
  tokens: readonly string[];
}

const NONE: readonly string[] = [];

/** Takes mesh tokens out of a query, whatever their parameter is called. */
export function takeQueryTokens(target: string): StrippedTarget {
  const mark = target.indexOf('?');
  if (mark < 0 || !target.includes('=z', mark)) return { target, tokens: NONE };
  const tokens: string[] = [];
  const rest = target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => {
      const value = pair.slice(pair.indexOf('=') + 1);
      if (!TOKEN.test(value)) return true;
      tokens.push(value);
      return false;
    });
  if (tokens.length === 0) return { target, tokens: NONE };
  const path = target.slice(0, mark);
  return { target: rest.length === 0 ? path : `${path}?${rest.join('&')}`, tokens };
}
