import type { RotationStatus } from '@zeq/contracts';
import { useEffect, useState } from 'react';
import { rotationApi } from '../api/mesh.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { useAction } from '../ui/use-action.ts';
import { Numbers } from './numbers.tsx';

export interface ProgressProps {
  adminKey: string;
  status: RotationStatus;
  onStatus: (status: RotationStatus) => void;
  onForget: () => void;
}

const POLL_MS = 2_000;
const STATES = { idle: 'plain', running: 'warn', done: 'ok', cancelled: 'plain' } as const;

/** The re-encryption as it goes on, and its two buttons. */
export function Progress(props: ProgressProps) {
  const { status, onForget } = props;
  const [asking, setAsking] = useState<'start' | 'cancel'>();
  const lost = usePolling(props);
  const isDone = status.done && status.state !== 'running';
  return (
    <section className="card card-body stack" aria-label="Progress">
      <div className="row spread">
        <div className="row">
          <h2>{isDone ? 'Everything is under the current key' : 'Rotation'}</h2>
          <Badge tone={STATES[status.state]}>{status.state}</Badge>
        </div>
        <Button kind="quiet" onClick={onForget}>
          Forget the key
        </Button>
      </div>
      <Meter share={shareOf(status)} />
      <Numbers status={status} />
      {lost && <ProblemNote error={lost} />}
      <Actions status={status} onAsk={setAsking} />
      {asking && <Question {...props} what={asking} onClose={() => setAsking(undefined)} />}
    </section>
  );
}

/** Asks again every two seconds. @returns Why the last answer did not come. */
function usePolling({ adminKey, onStatus }: ProgressProps): Error | undefined {
  const [lost, setLost] = useState<Error>();
  useEffect(() => {
    const controller = new AbortController();
    const poll = async () => {
      try {
        onStatus(await rotationApi.status(adminKey, controller.signal));
        setLost(undefined);
      } catch (err) {
        if (!controller.signal.aborted) setLost(err as Error);
      }
    };
    const timer = setInterval(() => void poll(), POLL_MS);
    return () => {
      clearInterval(timer);
      controller.abort();
    };
  }, [adminKey, onStatus]);
  return lost;
}

/** 0 to 1. */
const shareOf = ({ rows_total, rows_done, done }: RotationStatus): number =>
  rows_total === 0 ? Number(done) : Math.min(1, rows_done / rows_total);

const Meter = ({ share }: { share: number }) => (
  <div
    className="meter"
    role="progressbar"
    aria-label="Credentials moved"
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={Math.round(share * 100)}
  >
    <div style={{ width: `${share * 100}%` }} />
  </div>
);

function Actions({ status, onAsk }: { status: RotationStatus; onAsk: (what: 'start' | 'cancel') => void }) {
  const isPossible = status.previous_kid !== null;
  if (status.state === 'running')
    return (
      <div className="actions">
        <Button onClick={() => onAsk('cancel')}>Cancel rotation</Button>
      </div>
    );
  return (
    <div className="actions">
      <Button
        kind="primary"
        onClick={() => isPossible && onAsk('start')}
        aria-disabled={!isPossible || undefined}
      >
        Start rotation
      </Button>
      {!isPossible && (
        <p className="muted">
          To rotate, start the vault with a new ZEQ_FIELD_KEY and the old one in ZEQ_FIELD_KEY_PREV.
        </p>
      )}
    </div>
  );
}

const QUESTIONS = {
  start: {
    title: 'Start the rotation?',
    action: 'Start rotation',
    text: 'Credentials are encrypted anew in small steps. Calls go on meanwhile, and it may be stopped at any point.',
  },
  cancel: {
    title: 'Cancel the rotation?',
    action: 'Cancel rotation',
    text: 'What was moved stays moved; the rest keeps needing the previous key.',
  },
};

type QuestionProps = ProgressProps & { what: 'start' | 'cancel'; onClose: () => void };

function Question({ adminKey, onStatus, what, onClose }: QuestionProps) {
  const act = useAction(async () => {
    onStatus(await rotationApi[what](adminKey));
    onClose();
  });
  const { title, action, text } = QUESTIONS[what];
  return (
    <Confirm
      title={title}
      action={action}
      isBusy={act.isBusy}
      error={act.error}
      onConfirm={() => void act.run()}
      onClose={onClose}
    >
      <p>{text}</p>
    </Confirm>
  );
}
