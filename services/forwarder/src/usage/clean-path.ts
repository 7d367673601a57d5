import { MAX_ACTIVITY_PATH_CHARS } from '@zeq/contracts';
import type { Matcher } from '../redaction/matcher.ts';

const HIDDEN = '[redacted]';
/** Beginnings of tokens that people put into paths: ours, Telegram's `bot<id>:<token>`, and those of well-known providers. */
const TOKEN_START =
  /^(?:zsm_|zat_|sk-|pk_|rk_|sk_|bot\d+(?::|%3a)|gh[opsu]_|github_pat_|xox[abeprs]-|AKIA|AIza|ya29\.|eyJ)/i;
/** So long a run of letters and digits is no word; UUIDs, dates and the names of models have separators before that. */
const LONG_RUN = /[A-Za-z0-9]{20,}/g;

/**
 * A path as it may be shown: without its query, without segments that hold the credential or look like a secret, and cut where
 * it is too long.
 *
 * @param rest Path and query behind `/forward`.
 * @param secrets The forms of the credential; undefined when there is none.
 */
export function cleanPath(rest: string, secrets: Matcher | undefined): string {
  const path = rest.split('?', 1)[0]!.split('#', 1)[0]!;
  const segments = path.split('/');
  const held = secrets === undefined ? undefined : heldIn(path, secrets);
  let at = 0;
  const shown = segments.map((segment) => {
    const [start, end] = [at, at + segment.length];
    at = end + 1;
    const isHeld = held?.some(([from, to]) => from < end && to > start);
    return isHeld || looksSecret(segment) ? HIDDEN : segment;
  });
  return cut(shown.join('/'));
}

/** @returns Where the credential stands in the path: beginnings and ends. */
function heldIn(path: string, secrets: Matcher): [number, number][] {
  const bytes = Buffer.from(path, 'latin1'); // a request target is ASCII, so bytes are characters
  const places: [number, number][] = [];
  for (let at = secrets.find(bytes, 0); at >= 0; at = secrets.find(bytes, at + 1))
    places.push([at, at + secrets.length]);
  return places;
}

function looksSecret(segment: string): boolean {
  if (segment.length < 8) return false;
  if (TOKEN_START.test(segment)) return true;
  const runs = segment.match(LONG_RUN) ?? [];
  return runs.some((run) => /[0-9]/.test(run) && /[A-Za-z]/.test(run));
}

const cut = (path: string): string =>
  path.length <= MAX_ACTIVITY_PATH_CHARS ? path : `${path.slice(0, MAX_ACTIVITY_PATH_CHARS - 1)}…`;
