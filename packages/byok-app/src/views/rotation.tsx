import type { RotationStatus } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { rotationApi } from '../api/mesh.ts';
import { Progress } from '../rotation/progress.tsx';
import { Button } from '../ui/button.tsx';
import { SecretField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { useAction } from '../ui/use-action.ts';

/** An operator's key, and what was seen with it. It lives in this view alone and goes with it. */
interface Opened {
  adminKey: string;
  status: RotationStatus;
}

/** How far the re-encryption under a new master key is, for who runs the mesh. */
export default function RotationView() {
  const [opened, setOpened] = useState<Opened>();
  return (
    <>
      <PageHeading
        title="Key rotation"
        lead="Moves every credential from ZEQ_FIELD_KEY_PREV to ZEQ_FIELD_KEY, while calls go on."
      />
      {opened === undefined ? (
        <AdminKeyForm onOpened={setOpened} />
      ) : (
        <OpenedProgress opened={opened} setOpened={setOpened} />
      )}
    </>
  );
}

interface OpenedProgressProps {
  opened: Opened;
  setOpened: (change: Opened | undefined | ((now: Opened | undefined) => Opened | undefined)) => void;
}

function OpenedProgress({ opened, setOpened }: OpenedProgressProps) {
  const [onStatus] = useState(
    () => (status: RotationStatus) => setOpened((now) => now && { ...now, status }),
  );
  return <Progress {...opened} onStatus={onStatus} onForget={() => setOpened(undefined)} />;
}

function AdminKeyForm({ onOpened }: { onOpened: (opened: Opened) => void }) {
  const [typed, setTyped] = useState('');
  const look = useAction(async (adminKey: string) =>
    onOpened({ adminKey, status: await rotationApi.status(adminKey) }),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== '') void look.run(typed.trim());
  };
  return (
    <form className="card card-body stack narrow" onSubmit={submit}>
      <SecretField
        label="Operator key"
        hint="One of ZEQ_ADMIN_KEYS. It is sent with each look and forgotten when you leave this view."
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      {look.error && <ProblemNote error={look.error} />}
      <div className="actions">
        <Button kind="primary" type="submit" isBusy={look.isBusy}>
          Show progress
        </Button>
      </div>
    </form>
  );
}
