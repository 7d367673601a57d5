import { useEffect, useRef } from 'react';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';

interface ShownOnceProps {
  secret: string;
  what: string;
  title: string;
  onDone: () => void;
}

/** A new secret, this once. It is in no store of the page: closing this, or leaving the view, is the end of it. */
export function ShownOnce({ secret, what, title, onDone }: ShownOnceProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return (
    <section className="once" aria-label={title}>
      <div>
        <h2 ref={ref} tabIndex={-1}>
          {title}
        </h2>
        <p>Copy it now: only its SHA-256 is stored, so nobody can show it again.</p>
      </div>
      <output aria-label={what}>{secret}</output>
      <div className="actions">
        <CopyButton kind="primary" text={secret} what={what} label="Copy" />
        <Button onClick={onDone}>I have it</Button>
      </div>
    </section>
  );
}
