import { math } from '../math.ts';
import { combine, type Dimensions, PURE } from './dimensions.ts';

/** A unit as a line: SI value = (number + offset) · scale. Only temperatures have an offset. */
export interface Unit {
  readonly scale: number;
  readonly offset: number;
  readonly dimensions: Dimensions;
}

const MAX_CHARS = 64;
const MAX_FACTORS = 12;
const MAX_EXPONENT = 12;
const MAX_REMEMBERED = 2_000;

const remembered = new Map<string, Unit | undefined>();

/**
 * Reads a unit such as `kg m/s^2`, `J/(mol K)`, `degC`, `%` or `1`. Its grammar is ours and small: mathjs is asked about single
 * names only, so that no text can make it work hard.
 *
 * `J/mol K` is refused: people mean J/(mol K) by it, and mathjs reads (J/mol)·K.
 *
 * @returns undefined for a text that is not a unit, or that is ambiguous.
 */
export function parseUnit(text: string): Unit | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const known = remembered.get(text);
  if (known !== undefined || remembered.has(text)) return known;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const unit = readUnit(spell(text));
  remembered.set(text, unit);
  return unit;
}

/** The typographic forms that people copy from papers, in plain letters. */
function spell(text: string): string {
  return text
    .trim()
    .replace(/⁻/g, '^-')
    .replace(/(\^-)?([¹²³])/g, (_all, minus, digit) => `${minus ?? '^'}${'¹²³'.indexOf(digit) + 1}`)
    .replace(/°\s*([CF])/g, 'deg$1')
    .replace(/°/g, 'deg')
    .replace(/[µμ]/g, 'u')
    .replace(/[ΩΩ]/g, 'ohm')
    .replace(/Å/g, 'angstrom')
    .replace(/[·⋅×]/g, '*');
}

const PURE_UNIT: Unit = { scale: 1, offset: 0, dimensions: PURE };

function readUnit(text: string): Unit | undefined {
  if (text === '1' || text === '') return PURE_UNIT;
  if (text === '%') return { ...PURE_UNIT, scale: 0.01 };
  const factors = readFactors(text);
  if (factors === undefined) return undefined;
  const [only] = factors;
  if (factors.length === 1 && only!.exponent === 1) return unitNamed(only!.name);
  return product(factors);
}

interface Factor {
  name: string;
  exponent: number;
}

const TOKEN = /\s*(?:([A-Za-z]{1,24})(?:\s*\^\s*(-?\d{1,2}(?:\.\d{1,17})?))?|(1)(?=\s*\/)|([*/()]))\s*/y;

/** The factors of a product; a single `/` (or several) divides what follows it, up to the next separator. */
function readFactors(text: string): Factor[] | undefined {
  const factors: Factor[] = [];
  let sign = 1;
  let inParentheses = false;
  let divided = false;
  let expectsFactor = true;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, name, exponent, one, mark] = TOKEN.exec(text) ?? [];
    if (name !== undefined) {
      if (!expectsFactor && divided && !inParentheses) return undefined; // J/mol K
      if (factors.push({ name, exponent: sign * Number(exponent ?? 1) }) > MAX_FACTORS) return undefined;
      expectsFactor = false;
    } else if (one !== undefined) {
      if (factors.length > 0 || !expectsFactor || divided) return undefined;
      expectsFactor = false;
    } else if (mark === '/') {
      if (expectsFactor || inParentheses) return undefined;
      sign = -1;
      divided = true;
      expectsFactor = true;
    } else if (mark === '*') {
      if (expectsFactor || (divided && !inParentheses)) return undefined; // J/mol*K
      expectsFactor = true;
    } else if (mark === '(') {
      if (inParentheses || !expectsFactor || !divided) return undefined;
      inParentheses = true;
    } else if (mark === ')') {
      if (!inParentheses || expectsFactor) return undefined;
      inParentheses = false;
    } else return undefined;
  }
  return expectsFactor || inParentheses ? undefined : factors;
}

function product(factors: readonly Factor[]): Unit | undefined {
  let { scale, dimensions } = PURE_UNIT;
  for (const { name, exponent } of factors) {
    const unit = unitNamed(name);
    if (unit === undefined || unit.offset !== 0 || Math.abs(exponent) > MAX_EXPONENT) return undefined;
    scale *= unit.scale ** exponent;
    dimensions = combine(dimensions, unit.dimensions, exponent);
  }
  return Number.isFinite(scale) && scale > 0 ? { scale, offset: 0, dimensions } : undefined;
}

/** mathjs keeps nine dimensions: the seven of SI, then angle and information. */
function unitNamed(name: string): Unit | undefined {
  try {
    const { dimensions, units } = math.unit(1, name) as unknown as {
      dimensions: number[];
      units: { unit: { value: number; offset: number }; prefix: { value: number } }[];
    };
    const { unit, prefix } = units[0]!;
    return {
      scale: unit.value * prefix.value,
      offset: unit.offset / prefix.value,
      dimensions: dimensions.slice(0, PURE.length),
    };
  } catch (err) {
    if (err instanceof SyntaxError) return undefined; // mathjs: Unit "…" not found
    throw err;
  }
}
