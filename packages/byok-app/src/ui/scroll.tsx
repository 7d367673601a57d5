import type { ReactNode } from 'react';

interface ScrollProps {
  label: string;
  className: string;
  children: ReactNode;
  isBusy?: boolean;
}

/** Text that scrolls by itself: it can be reached and scrolled with the keyboard, and has a name. */
export const Scroll = ({ label, className, children, isBusy = false }: ScrollProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus
  <section className={className} tabIndex={0} aria-label={label} aria-busy={isBusy || undefined}>
    {children}
  </section>
);
