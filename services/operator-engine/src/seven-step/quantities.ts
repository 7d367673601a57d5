import type { Dimensions } from '../units/dimensions.ts';
import { toSi } from '../units/quantity.ts';
import { parseUnit } from '../units/unit.ts';
import { STOP_WORDS, wordsOf } from './words.ts';

/** A number that stands in a text, with what was said before it. */
export interface FoundQuantity {
  /** In SI where a unit was given. */
  value: number;
  /** undefined: no unit was given. */
  dimensions: Dimensions | undefined;
  /** `m` in "m = 5 kg": a parameter's name, said outright. */
  named: string | undefined;
  /** The words just before the number, the nearest last. */
  before: string[];
}

const MAX_QUANTITIES = 40;
const LOOK_BACK_CHARS = 60;
const NUMBER =
  /(?<![\p{L}\p{N}_.^])[+\-−]?(?:\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})(?:\s?[x×*]\s?10\s?\^\s?([+\-−]?\d{1,3})|[eE]([+-]?\d{1,3}))?(?![\p{N}_])/gu;
const UNIT_RUN = /^\s*([\p{L}°%Å][\p{L}\d°%^*·⋅/()⁻¹²³ -]{0,48}|%)/u;
const NAMED = /([A-Za-z][A-Za-z0-9_]{0,31})\s*[=:]\s*$/;

/** Finds the quantities of a text, in its order. Every step is bounded by the text's length. */
export function findQuantities(text: string): FoundQuantity[] {
  const found: FoundQuantity[] = [];
  for (const match of text.matchAll(NUMBER)) {
    if (found.length >= MAX_QUANTITIES) break;
    const number = numberOf(match);
    if (!Number.isFinite(number)) continue;
    const unit = unitAfter(text.slice(match.index + match[0].length));
    const earlier = text.slice(Math.max(0, match.index - LOOK_BACK_CHARS), match.index);
    found.push({
      value: unit === undefined ? number : toSi(number, unit),
      dimensions: unit?.dimensions,
      named: NAMED.exec(earlier)?.[1],
      before: wordsOf(earlier.replace(/^.*[,;.?!]\s/s, '')).slice(-5),
    });
  }
  return found;
}

/** `3 x 10^8` and `3e8`; a typographic minus counts as one. */
function numberOf(match: RegExpMatchArray): number {
  const [whole, power] = match;
  const plain = whole.replace(/−/g, '-');
  if (power === undefined) return Number(plain);
  const [mantissa] = plain.split(/\s?[x×*]/);
  return Number(`${mantissa}e${power.replace('−', '-')}`);
}

/** How people write units in sentences. */
const SPOKEN: readonly [RegExp, string][] = [
  [/\bper\b/gi, '/'],
  [/\bmetre(s?)\b/gi, 'meter$1'],
  [/\blitre(s?)\b/gi, 'liter$1'],
  [/\bsquared\b/gi, '^2'],
  [/\bcubed\b/gi, '^3'],
];

/** The longest run of words behind the number that is a unit: `kg m/s^2` of "5 kg m/s^2 on a cart". */
function unitAfter(text: string) {
  const run = UNIT_RUN.exec(text)?.[1];
  if (run === undefined) return undefined;
  const spoken = SPOKEN.reduce((changed, [pattern, written]) => changed.replace(pattern, written), run);
  const words = spoken.split(/\s+/).filter(Boolean).slice(0, 5);
  const stop = words.findIndex((word) => STOP_WORDS.has(word)); // `A` is the ampere, `a` an article
  for (let count = stop === -1 ? words.length : stop; count > 0; count--) {
    const unit = parseUnit(
      words
        .slice(0, count)
        .join(' ')
        .replace(/\s*\^\s*/g, '^')
        .replace(/[-*/·⋅]+$/, ''),
    );
    if (unit !== undefined) return unit;
  }
  return undefined;
}
