/** Exponents of kg, m, s, A, K, cd and mol. Angle and information count as pure numbers, so rad and bit have none. */
export type Dimensions = readonly number[];

const BASE = ['kg', 'm', 's', 'A', 'K', 'cd', 'mol'] as const;
/** Exponents such as 1/3 travel through decimals. */
const TOLERANCE = 1e-6;

export const PURE: Dimensions = BASE.map(() => 0);

export const sameDimensions = (a: Dimensions, b: Dimensions): boolean =>
  a.every((exponent, i) => Math.abs(exponent - b[i]!) < TOLERANCE);

export const isPure = (dimensions: Dimensions): boolean => sameDimensions(dimensions, PURE);

/** a · b^times: a product for 1, a quotient for -1. */
export const combine = (a: Dimensions, b: Dimensions, times: number): Dimensions =>
  a.map((exponent, i) => exponent + times * b[i]!);

export const power = (dimensions: Dimensions, exponent: number): Dimensions =>
  dimensions.map((each) => each * exponent);

/** For people: `kg m^2 s^-2`, or `1` for a pure number. */
export function describeDimensions(dimensions: Dimensions): string {
  const parts = BASE.flatMap((name, i) => {
    const exponent = Number(dimensions[i]!.toFixed(4));
    if (exponent === 0) return [];
    return [exponent === 1 ? name : `${name}^${exponent}`];
  });
  return parts.join(' ') || '1';
}
