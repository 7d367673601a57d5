import { invalidArgument } from './zeq-error.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A path of fixed text and encoded values: path`/api/zeq/apis/${slug}`. @throws ZeqError for a value that is no segment. */
export function path(texts: TemplateStringsArray, ...values: string[]): string {
  return texts.reduce((whole, text, i) => whole + segment(values[i - 1]!) + text);
}

/** `?a=1&b=2`; what is undefined is left out, and nothing at all is ''. */
export function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The path of a forwarded call. It stays text: what the caller wrote is what the upstream gets.
 *
 * @throws ZeqError for dot segments: a URL parser on the way would resolve them and leave the API.
 */
export function forwardPath(slug: string, api: string, rest: string): string {
  if (!rest.startsWith('/')) throw invalidArgument('path must begin with "/".');
  const segments = rest.split(/[?#]/, 1)[0]!.split(/[/\\]/);
  if (segments.some((one) => /^(\.|%2e){1,2}$/i.test(one)))
    throw invalidArgument('path must not hold "." or ".." segments.');
  return `${path`/api/zeq/apis/${slug}/${api}/forward`}${rest}`;
}

function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') throw invalidArgument('a name or an id is missing.');
  return encodeURIComponent(text);
}
