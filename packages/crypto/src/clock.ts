/**
 * The one clock: every part of the mesh computes Zeqonds here. Time goes in as Unix milliseconds and stays an integer until the
 * last division, so that two machines with the same millisecond agree to the last bit.
 */

/** The length of a Zeqond, in milliseconds. */
export const ZEQOND_MS = 777;
/** HulyaPulse, in hertz, as it is published: 1 / 0.777 s rounded to three decimals. */
export const PULSE_HZ = 1.287;
/** The clock's KO42 amplitude: at most 0.1 %. (The KO42 operator has a default of its own, 0.00129.) */
export const KO42_ALPHA = 0.001;

/** The Zeqond number: floor(unix_ms / 777). @throws RangeError for a time that is not finite. */
export function zeqondOf(unixMs: number): number {
  return Math.floor(wholeMs(unixMs) / ZEQOND_MS);
}

/** How far the Zeqond has run: (unix_ms mod 777) / 777, in [0, 1). */
export function phaseOf(unixMs: number): number {
  const ms = wholeMs(unixMs);
  return (ms - zeqondOf(ms) * ZEQOND_MS) / ZEQOND_MS;
}

/** The phase in radians, in [0, 2π). */
export const phaseRadians = (unixMs: number): number => 2 * Math.PI * phaseOf(unixMs);

/** KO42 = alpha·sin(2π·phase), dimensionless, within ±0.001. */
export const ko42Of = (unixMs: number): number => KO42_ALPHA * Math.sin(phaseRadians(unixMs));

/** R(t) = 1 + KO42: the modulation that stamps a result. It does not change a physical value. */
export const modulationOf = (unixMs: number): number => 1 + ko42Of(unixMs);

/** When a Zeqond begins, in Unix milliseconds. */
export const zeqondStartMs = (zeqond: number): number => zeqond * ZEQOND_MS;

/** Part of a millisecond is dropped: `performance` clocks give fractions, and a tick border must not depend on them. */
function wholeMs(unixMs: number): number {
  if (!Number.isFinite(unixMs)) throw new RangeError('time: expected finite Unix milliseconds');
  return Math.floor(unixMs);
}
