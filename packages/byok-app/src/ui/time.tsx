import { useEffect, useState } from 'react';

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "3 minutes ago", "in 30 days": whole units, rounded. */
export function relativeTime(at: number, now: number): string {
  const seconds = (at - now) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  if (unit === 'second') return seconds > 0 ? 'in a moment' : 'just now';
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.round(seconds / length), unit);
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A moment: how long ago, the local time beside it, and UTC for whoever rests on it. */
export function Moment({ at, isLong = false }: { at: string; isLong?: boolean }) {
  const now = useNow(30_000);
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={`${local.format(time)} (local)\n${at.replace('T', ' ').replace('Z', ' UTC')}`}>
      {isLong ? `${local.format(time)}, ${relativeTime(time, now)}` : relativeTime(time, now)}
    </time>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** A moment to the second, by the clock on the wall; the day only where it is not today's. UTC for whoever rests on it. */
export function ClockTime({ at }: { at: string }) {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={at.replace('T', ' ').replace('Z', ' UTC')}>
      {(isToday ? clock : dayAndClock).format(time)}
    </time>
  );
}

/** Now, anew every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
