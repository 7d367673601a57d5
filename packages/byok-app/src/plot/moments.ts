import type { UsageStep } from '@zeq/contracts';
import { timeTicks } from './ticks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const utcDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const utcShort = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' });

/** What a bucket is called: local time; whole days are days in UTC, as the mesh counts them. */
export function bucketName(at: string, step: UsageStep): string {
  return step === 'day' ? `${utcDate.format(Date.parse(at))} (UTC day)` : both.format(Date.parse(at));
}

/** The same in UTC, for whoever rests on it. */
export const utcName = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

/** Moments to name on an axis. @param most How many there is room for. */
export function axisMoments(fromMs: number, toMs: number, step: UsageStep, most: number): [number, string][] {
  const isDays = step === 'day';
  const offsetMs = isDays ? 0 : -new Date(fromMs).getTimezoneOffset() * 60_000;
  const ticks = timeTicks(fromMs, toMs, most, offsetMs);
  const spansDays = toMs - fromMs > 1.5 * DAY_MS;
  const words = isDays ? utcShort : spansDays ? date : clock;
  return ticks.map((tick) => [tick, words.format(tick)]);
}
