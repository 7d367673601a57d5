const PREFIX = '/api/zeq/apis/';
const SLUG = /^[a-z0-9-]{1,64}$/;
const REF = /^[A-Za-z0-9._-]{1,63}$/;

/** Where a forwarded call wants to go, as the request line says it. */
export interface ForwardTarget {
  slug: string;
  /** The API's id or name. */
  ref: string;
  /** Path and query behind `/forward`, as they came; it begins with a slash. */
  rest: string;
}

/**
 * Recognises `/api/zeq/apis/:slug/:id/forward/*` in a request target, without a router: this runs for every call.
 * Node's parser has refused blanks and bytes outside ASCII before.
 *
 * @returns undefined for every other target, an absolute-form one included.
 */
export function parseForwardTarget(url: string): ForwardTarget | undefined {
  if (!url.startsWith(PREFIX)) return undefined;
  const slugEnd = url.indexOf('/', PREFIX.length);
  const refEnd = slugEnd === -1 ? -1 : url.indexOf('/', slugEnd + 1);
  if (refEnd === -1 || !url.startsWith('/forward/', refEnd)) return undefined;
  const slug = url.slice(PREFIX.length, slugEnd);
  const ref = url.slice(slugEnd + 1, refEnd);
  if (!SLUG.test(slug) || !REF.test(ref)) return undefined;
  return { slug, ref, rest: url.slice(refEnd + '/forward'.length) };
}
