import { signOut, useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { say } from '../ui/toast.tsx';
import { KeyForm } from '../views/sign-in.tsx';

/** The session is over, or its key was revoked. What is on the page stays; nothing works until the key is shown again. */
export function EndedDialog() {
  const { slug } = useMachine();
  const leave = () => signOut().catch((err: Error) => say(`Not signed out: ${err.message}`));
  return (
    <Dialog title="Your session has ended">
      <p className="muted">
        Sessions end after 15 minutes without you, and at once when their key is revoked. Paste a key of{' '}
        <strong>{slug}</strong> to go on where you were.
      </p>
      <KeyForm action="Go on" />
      <Button kind="quiet" onClick={leave}>
        Sign out instead
      </Button>
    </Dialog>
  );
}
