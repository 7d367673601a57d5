import type { ReactNode } from 'react';

/** A state in one or two words. The dot repeats it as colour, the words say it to everybody. */
export const Badge = ({ tone, children }: { tone: 'ok' | 'warn' | 'bad' | 'plain'; children: ReactNode }) => (
  <span className={`badge badge-${tone}`}>{children}</span>
);
