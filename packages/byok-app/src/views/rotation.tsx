import type { RotationStatus } from '@zeq/contracts';
import { type FormEvent, useEffect, useState } from 'react';
import { rotationApi } from '../api/mesh.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { SecretField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { Moment } from '../ui/time.tsx';
import { useAction } from '../ui/use-action.ts';

/** How far the re-encryption under a new master key is, for who runs the mesh. */
export default function RotationView() {
  const [key, setKey] = useState<string>();
  const [typed, setTyped] = useState('');
  const [status, setStatus] = useState<RotationStatus>();
  const look = useAction(async (candidate: string) => {
    setStatus(await rotationApi.status(candidate));
    setKey(candidate);
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() === '') return;
    await look.run(typed.trim());
    setTyped('');
  };
  return (
    <>
      <PageHeading
        title="Key rotation"
        lead="Moves every credential from ZEQ_FIELD_KEY_PREV to ZEQ_FIELD_KEY, while calls go on."
      />
      {key === undefined || status === undefined ? (
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
      ) : (
        <Progress
          adminKey={key}
          status={status}
          onStatus={setStatus}
          onForget={() => {
            setKey(undefined);
            setStatus(undefined);
          }}
        />
      )}
    </>
  );
}

interface ProgressProps {
  adminKey: string;
  status: RotationStatus;
  onStatus: (status: RotationStatus) => void;
  onForget: () => void;
}

const POLL_MS = 2_000;
const STATES = { idle: 'plain', running: 'warn', done: 'ok', cancelled: 'plain' } as const;

function Progress({ adminKey, status, onStatus, onForget }: ProgressProps) {
  const [asking, setAsking] = useState<'start' | 'cancel'>();
  const [lost, setLost] = useState<Error>();
  const act = useAction(async (what: 'start' | 'cancel') => {
    onStatus(await rotationApi[what](adminKey));
    setAsking(undefined);
  });
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
  const share =
    status.rows_total === 0 ? (status.done ? 1 : 0) : Math.min(1, status.rows_done / status.rows_total);
  return (
    <section className="card card-body stack" aria-label="Progress">
      <div className="row spread">
        <div className="row">
          <h2>
            {status.done && status.state !== 'running' ? 'Everything is under the current key' : 'Rotation'}
          </h2>
          <Badge tone={STATES[status.state]}>{status.state}</Badge>
        </div>
        <Button kind="quiet" onClick={onForget}>
          Forget the key
        </Button>
      </div>
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
      <Numbers status={status} />
      {lost && <ProblemNote error={lost} />}
      <div className="actions">
        {status.state === 'running' ? (
          <Button onClick={() => setAsking('cancel')}>Cancel rotation</Button>
        ) : (
          <Button
            kind="primary"
            onClick={() => setAsking('start')}
            aria-disabled={status.previous_kid === null || undefined}
          >
            Start rotation
          </Button>
        )}
        {status.previous_kid === null && (
          <p className="muted">
            To rotate, start the vault with a new ZEQ_FIELD_KEY and the old one in ZEQ_FIELD_KEY_PREV.
          </p>
        )}
      </div>
      {asking && (
        <Confirm
          title={asking === 'start' ? 'Start the rotation?' : 'Cancel the rotation?'}
          action={asking === 'start' ? 'Start rotation' : 'Cancel rotation'}
          isBusy={act.isBusy}
          error={act.error}
          onConfirm={() => void act.run(asking)}
          onClose={() => setAsking(undefined)}
        >
          <p>
            {asking === 'start'
              ? 'Credentials are encrypted anew in small steps. Calls go on meanwhile, and it may be stopped at any point.'
              : 'What was moved stays moved; the rest keeps needing the previous key.'}
          </p>
        </Confirm>
      )}
    </section>
  );
}

function Numbers({ status }: { status: RotationStatus }) {
  const fact = (label: string, value: React.ReactNode) => (
    <div>
      <dt>{label}</dt>
      <dd className="numbers">{value}</dd>
    </div>
  );
  return (
    <dl className="facts">
      {fact('Moved', `${status.rows_done.toLocaleString()} of ${status.rows_total.toLocaleString()}`)}
      {fact('Left', status.rows_left.toLocaleString())}
      {fact('Need a new header', status.rows_failed.toLocaleString())}
      {fact(
        'Rate',
        status.rows_per_second === null
          ? '–'
          : `${Math.round(status.rows_per_second).toLocaleString()} a second`,
      )}
      {fact('Current key id', <span className="mono">{status.current_kid}</span>)}
      {fact('Previous key id', <span className="mono">{status.previous_kid ?? 'none'}</span>)}
      {status.started_at && fact('Started', <Moment at={status.started_at} />)}
      {status.finished_at && fact('Finished', <Moment at={status.finished_at} />)}
    </dl>
  );
}
