import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
  useState,
} from 'react';
import { EyeIcon, EyeOffIcon } from './icons.tsx';

interface FieldFrame {
  label: string;
  /** What to write, and why. */
  hint?: ReactNode;
  error?: string | undefined;
  /** The label is for assistive technology only: what is beside the field says it to the eye. */
  isLabelHidden?: boolean;
}

interface FrameProps extends FieldFrame {
  id: string;
  children: ReactNode;
}

function Frame({ id, label, hint, error, isLabelHidden = false, children }: FrameProps) {
  return (
    <div className={`field ${error ? 'field-wrong' : ''}`}>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : ''}>
        {label}
      </label>
      {children}
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

const describedBy = (id: string, { hint, error }: FieldFrame) => ({
  id,
  'aria-describedby': [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined,
  'aria-invalid': error !== undefined || undefined,
});

export function TextField({
  label,
  hint,
  error,
  isLabelHidden,
  ...input
}: FieldFrame & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const frame = { label, hint, error, isLabelHidden: isLabelHidden ?? false };
  return (
    <Frame id={id} {...frame}>
      <input className="input" autoComplete="off" spellCheck={false} {...input} {...describedBy(id, frame)} />
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  error,
  ...input
}: FieldFrame & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  const frame = { label, hint, error };
  return (
    <Frame id={id} {...frame}>
      <textarea className="input mono" spellCheck={false} {...input} {...describedBy(id, frame)} />
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  error,
  isLabelHidden,
  children,
  ...input
}: FieldFrame & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  const frame = { label, hint, error, isLabelHidden: isLabelHidden ?? false };
  return (
    <Frame id={id} {...frame}>
      <select className="input" {...input} {...describedBy(id, frame)}>
        {children}
      </select>
    </Frame>
  );
}

/**
 * A secret while it is being typed: masked, and shown only while its owner wants to see it. Password managers and autofill are
 * told to leave it alone; nothing of it is meant to stay in this browser.
 */
export function SecretField({
  label,
  hint,
  error,
  ...input
}: FieldFrame & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  const frame = { label, hint, error };
  return (
    <Frame id={id} {...frame}>
      <div className="secret">
        <input
          className="input mono"
          type={isShown ? 'text' : 'password'}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          data-bwignore=""
          {...input}
          {...describedBy(id, frame)}
        />
        <button
          type="button"
          className="secret-toggle"
          aria-label={`Show ${label.toLowerCase()}`}
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? <EyeOffIcon /> : <EyeIcon />}
        </button>
      </div>
    </Frame>
  );
}
