import { useEffect, useState } from 'react';
import { Button } from './button.tsx';
import { CheckIcon, CopyIcon } from './icons.tsx';
import { Scroll } from './scroll.tsx';
import { say } from './toast.tsx';

interface CopyButtonProps {
  text: string;
  /** What is copied, for the button's name. */
  what: string;
  label?: string;
  kind?: 'primary' | 'secondary' | 'quiet';
}

const SHOWN_MS = 1800;

export function CopyButton({ text, what, label = 'Copy', kind = 'secondary' }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      say(`${what} copied`);
    } catch {
      say('The browser did not allow copying. Select the text and copy it by hand.');
    }
  };
  return (
    <Button
      kind={kind}
      className="copy"
      onClick={copy}
      icon={isCopied ? <CheckIcon /> : <CopyIcon />}
      aria-label={label.endsWith(what) ? label : `${label} ${what}`}
    >
      {isCopied ? 'Copied' : label}
    </Button>
  );
}

/** A piece of code with the button that takes it along. */
export function CodeBlock({ code, what }: { code: string; what: string }) {
  return (
    <div className="code">
      <Scroll className="code-text" label={what}>
        <code>{code}</code>
      </Scroll>
      <CopyButton text={code} what={what} />
    </div>
  );
}
