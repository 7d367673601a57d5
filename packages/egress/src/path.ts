import { POLICY } from './policy.ts';

export type PathRule =
  | 'path-start'
  | 'path-length'
  | 'path-control'
  | 'path-backslash'
  | 'path-fragment'
  | 'path-bad-percent'
  | 'path-dot-segment';

export type JoinedPath = { ok: true; path: string } | { ok: false; rule: PathRule };

/** Ordinary segments, none of which begins with a dot: nothing in them can be decoded into something else. */
const PLAIN = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)+\/?$/;

/**
 * Joins the path of a base URL and what the caller wants below it, as text: no URL resolver is asked, so nothing in `rest` can
 * choose another host or climb out of the base. What is allowed leaves byte for byte; only blanks and characters outside
 * ASCII are percent-encoded (as UTF-8).
 *
 * @param basePath From `parseBaseUrl`: empty, or beginning with a slash and not ending in one.
 * @param rest Path and query, at most 8192 characters of path. The query is data for the upstream and is only kept on one line.
 */
export function joinPath(basePath: string, rest: string): JoinedPath {
  const queryAt = rest.indexOf('?');
  const path = queryAt === -1 ? rest : rest.slice(0, queryAt);
  const rule = refusePath(path) ?? (queryAt === -1 ? undefined : refuseQuery(rest, queryAt));
  return rule === undefined ? { ok: true, path: encodeRaw(basePath + rest) } : { ok: false, rule };
}

/** @returns The rule that a path (without query) breaks, or undefined. */
export function refusePath(path: string): PathRule | undefined {
  if (path.length > POLICY.maxPathLength) return 'path-length';
  if (PLAIN.test(path)) return undefined;
  if (!path.startsWith('/') || path.startsWith('//')) return 'path-start';
  if (BAD_PERCENT.test(path)) return 'path-bad-percent';
  if (path.includes('#')) return 'path-fragment';
  for (const form of decodedForms(path)) {
    const rule = refuseForm(form);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

function refuseQuery(rest: string, queryAt: number): PathRule | undefined {
  if (rest.includes('#', queryAt)) return 'path-fragment';
  return CONTROL.test(rest) ? 'path-control' : undefined;
}

/** What an upstream might make of a path: as it stands, and decoded once, twice and three times, until nothing changes. */
export function decodedForms(path: string): string[] {
  const forms = [path];
  for (let times = 0; times < POLICY.pathDecodings; times += 1) {
    const last = forms[times]!;
    const decoded = last.replace(/%([0-9a-fA-F]{2})/g, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === last) break;
    forms.push(decoded);
  }
  return forms;
}

const BAD_PERCENT = /%(?![0-9a-fA-F]{2})/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

function refuseForm(form: string): PathRule | undefined {
  if (CONTROL.test(form)) return 'path-control';
  if (form.includes('\\')) return 'path-backslash';
  return form.split('/').some(isDotSegment) ? 'path-dot-segment' : undefined;
}

/** Servlet containers cut `;parameters` off before they climb, so `..;x` counts. */
function isDotSegment(segment: string): boolean {
  const name = segment.split(';', 1)[0];
  return name === '.' || name === '..';
}

const RAW = /[^\x21-\x7e]/;
const RAW_RUN = /[^\x21-\x7e]+/g;

const encodeRaw = (path: string): string =>
  RAW.test(path) ? path.replace(RAW_RUN, (run) => encodeURIComponent(run.toWellFormed())) : path;
