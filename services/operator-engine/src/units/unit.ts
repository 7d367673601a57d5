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

const FACTOR = /^([A-Za-z]{1,24})(?:\^(-?\d{1,2}(?:\.\d{1,17})?))?$/;

/** `a b / c / (d e)`: behind a `/` stands one factor, or a product in parentheses. */
function readFactors(text: string): Factor[] | undefined {
  const [above = '', ...below] = text
    .replace(/\s*\^\s*/g, '^')
    .split('/')
    .map((part) => part.trim());
  const factors = [
    ...(above === '1' && below.length > 0 ? [] : split(above).map((part) => readFactor(part, 1))),
    ...below.flatMap((part) => withoutParentheses(part).map((each) => readFactor(each, -1))),
  ];
  return factors.length > MAX_FACTORS || factors.includes(undefined) ? undefined : (factors as Factor[]);
}

const split = (product: string): string[] => product.trim().split(/\s*\*\s*|\s+/);

/** The factors of a group; anything else is left whole, and read as one factor or not at all. */
function withoutParentheses(part: string): string[] {
  const group = /^\(([^()]*)\)$/.exec(part)?.[1];
  return group === undefined ? [part] : split(group);
}

function readFactor(text: string, sign: 1 | -1): Factor | undefined {
  const [, name, exponent = '1'] = FACTOR.exec(text) ?? [];
  return name === undefined ? undefined : { name, exponent: sign * Number(exponent) };
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
