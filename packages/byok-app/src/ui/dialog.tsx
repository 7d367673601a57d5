import { type FormEvent, type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './button.tsx';
import { ProblemNote } from './states.tsx';

interface DialogProps {
  title: string;
  children: ReactNode;
  /** Escape, or a press beside it. Missing: it stays until it is answered. */
  onClose?: (() => void) | undefined;
}

/** The browser's own modal dialog: it keeps the focus inside, makes the rest inert and gives the focus back. */
export function Dialog({ title, children, onClose }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same, by `cancel`
    <dialog
      ref={ref}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => event.target === ref.current && onClose?.()}
    >
      <div className="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface AnsweredProps {
  title: string;
  children: ReactNode;
  /** What will be done, as a verb. */
  action: string;
  isBusy: boolean;
  error?: Error | undefined;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. The safe answer has the focus. */
export const Confirm = ({ children, ...rest }: AnsweredProps) => (
  <FormDialog kind="danger" {...rest}>
    <div className="prose">{children}</div>
  </FormDialog>
);

/** Asks for something; what went wrong with it stands above the two answers. */
export function FormDialog(props: AnsweredProps & { kind?: 'primary' | 'danger' }) {
  const { title, children, action, kind = 'primary', isBusy, error, onConfirm, onClose } = props;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onConfirm();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {error && <ProblemNote error={error} />}
        <div className="dialog-actions">
          <Button onClick={onClose} autoFocus={kind === 'danger'}>
            Cancel
          </Button>
          <Button kind={kind} type="submit" isBusy={isBusy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
