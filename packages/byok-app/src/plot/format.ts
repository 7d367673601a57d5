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
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${UNITS[power]}`;
}

/** A duration in the unit it is read in: 0.84 ms, 412 ms, 1.3 s, 2 min. */
export function duration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

/** A share of a whole in percent; a small one is not rounded away. */
export function percent(part: number, all: number): string {
  if (all === 0 || part === 0) return '0 %';
  const share = (part / all) * 100;
  return share < 0.1 ? '< 0.1 %' : `${share.toFixed(share < 10 ? 1 : 0)} %`;
}
