import type { Dimensions } from '../units/dimensions.ts';
import { toSi } from '../units/quantity.ts';
import { parseUnit, type Unit } from '../units/unit.ts';
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
  /** Where it stands in the text, its unit included. */
  start: number;
  end: number;
}

const MAX_QUANTITIES = 40;
const LOOK_BACK_CHARS = 60;
const MAX_UNIT_WORDS = 6;
const UNIT_WORDS: ReadonlySet<string> = new Set(['per']);
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
    const numberEnd = match.index + match[0].length;
    const { unit, length } = unitAfter(text.slice(numberEnd));
    const earlier = text.slice(Math.max(0, match.index - LOOK_BACK_CHARS), match.index);
    found.push({
      value: unit === undefined ? number : toSi(number, unit),
      dimensions: unit?.dimensions,
      named: NAMED.exec(earlier)?.[1],
      before: wordsOf(earlier.replace(/^.*[,;.?!]\s/s, '')).slice(-5),
      start: match.index,
      end: numberEnd + length,
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

/** The longest run of words behind the number that is a unit, `kg m/s^2` of "5 kg m/s^2 on a cart", and how far it reaches. */
function unitAfter(text: string): { unit: Unit | undefined; length: number } {
  const run = UNIT_RUN.exec(text)?.[0] ?? '';
  const words = [...run.matchAll(/\S+/g)].slice(0, MAX_UNIT_WORDS);
  const stop = words.findIndex(([word]) => STOP_WORDS.has(word) && !UNIT_WORDS.has(word)); // `A` is the ampere, `a` an article
  for (let count = stop === -1 ? words.length : stop; count > 0; count--) {
    const last = words[count - 1]!;
    const length = last.index + last[0].length;
    const unit = parseUnit(written(run.slice(0, length)));
    if (unit !== undefined) return { unit, length };
  }
  return { unit: undefined, length: 0 };
}

const written = (spoken: string): string =>
  SPOKEN.reduce((text, [pattern, sign]) => text.replace(pattern, sign), spoken)
    .trim()
    .replace(/\s*\^\s*/g, '^')
    .replace(/[-*/·⋅]+$/, '');
