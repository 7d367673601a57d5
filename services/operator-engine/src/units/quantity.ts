import { parseUnit, type Unit } from './unit.ts';

/** What a caller meant by a number with or without a unit. */
export interface Quantity {
  number: number;
  /** undefined: a bare number, in whatever unit is expected. */
  unit: Unit | undefined;
}

const MAX_CHARS = 100;
const NUMBER = /^\s*([+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,4})?)\s*(.*)$/s;

/** Reads `5`, `-1.5e3 kg m/s^2`, `20 degC`, `30%`. @returns undefined for anything else, and for a number that overflows. */
export function parseQuantity(text: string): Quantity | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const [, digits, rest] = NUMBER.exec(text.replace(/^\s*−/, '-')) ?? [];
  if (digits === undefined || rest === undefined) return undefined;
  const number = Number(digits);
  if (!Number.isFinite(number)) return undefined;
  const unitText = rest.trim();
  if (unitText === '') return { number, unit: undefined };
  const unit = parseUnit(unitText);
  return unit && { number, unit };
}

/** The SI value of a number in a unit. */
export const toSi = (number: number, { scale, offset }: Unit): number => (number + offset) * scale;
