import type { CSSProperties } from 'react';
import { tileOf } from '../providers.ts';

/** A coloured square with one or two letters: quicker to find in a list than a name. */
export function Tile({ provider, name }: { provider: string | null; name: string }) {
  const { letters, colour } = tileOf(provider, name);
  return (
    <span className="logo" style={{ '--logo': colour } as CSSProperties} aria-hidden="true">
      {letters}
    </span>
  );
}
