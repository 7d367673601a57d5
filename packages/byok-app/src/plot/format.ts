const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en');

/** For an axis or a tile: 1.2K. */
export const short = (value: number): string =>
  value < 10_000 ? whole.format(value) : compact.format(value);
/** As it was counted: 1,204. */
export const exact = (value: number): string => whole.format(value);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in units of 1,024: 3.4 MiB. */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${digits(scaled, scaled >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

/** A duration in the unit it is read in: 0.84 ms, 412 ms, 1.3 s, 2 min. */
export function duration(ms: number): string {
  if (ms < 1000) return `${digits(ms, ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
  return ms < 60_000 ? `${digits(ms / 1000, ms < 10_000 ? 2 : 1)} s` : `${digits(ms / 60_000, 1)} min`;
}

/** At most so many digits behind the point, and no zeros at the end. */
const digits = (value: number, most: number): string => String(Number(value.toFixed(most)));

/** A share of a whole in percent; a small one is not rounded away. */
export function percent(part: number, all: number): string {
  if (all === 0 || part === 0) return '0 %';
  const share = (part / all) * 100;
  return share < 0.1 ? '< 0.1 %' : `${share.toFixed(share < 10 ? 1 : 0)} %`;
}
