import { useMemo, useState } from 'react';
import { Badge } from '../ui/badge.tsx';
import { Choice } from '../ui/choice.tsx';
import { Scroll } from '../ui/scroll.tsx';
import { DeltaReader } from './event-stream.ts';
import type { Progress } from './send.ts';

type View = 'text' | 'raw' | 'headers';
const VIEWS: readonly (readonly [View, string])[] = [
  ['text', 'Text'],
  ['raw', 'Body'],
  ['headers', 'Headers'],
];

/** The answer: who gave it, how long it took, and its text while it comes. */
export function Answer({ progress }: { progress: Progress | undefined }) {
  const [view, setView] = useState<View>('text');
  const reading = useMemo(() => (progress === undefined ? '' : readable(progress)), [progress]);
  if (progress === undefined)
    return (
      <section className="card card-body stack console-answer">
        <h2>Answer</h2>
        <div className="output muted">
          Send a request: the answer streams in here, byte for byte as the upstream sends it.
        </div>
      </section>
    );
  const hasText = reading !== progress.text;
  const views = VIEWS.filter(([name]) => name !== 'text' || hasText);
  const current = view === 'text' && !hasText ? 'raw' : view;
  const shown =
    view === 'headers' ? headerLines(progress) : view === 'text' && hasText ? reading : progress.text;
  return (
    <section className="card card-body stack console-answer" aria-label="Answer">
      <div className="row spread">
        <div className="row">
          <h2>Answer</h2>
          <Status progress={progress} />
        </div>
        <Choice label="Show" options={views} chosen={current} onChoose={setView} />
      </div>
      <Stats progress={progress} />
      <Scroll className="output" label="Content of the answer" isBusy={progress.state === 'streaming'}>
        {shown || emptyWords(progress)}
      </Scroll>
      {progress.error && <p className="field-error">{progress.error}</p>}
      <p className="sr-only" role="status">
        {spoken(progress)}
      </p>
    </section>
  );
}

function Status({ progress: { status, meshCode, state } }: { progress: Progress }) {
  if (status === null) return <Badge tone={state === 'broken' ? 'bad' : 'plain'}>{state}</Badge>;
  const tone = status < 300 ? 'ok' : status < 400 ? 'warn' : 'bad';
  return (
    <>
      <Badge tone={tone}>{status}</Badge>
      {state !== 'done' && <Badge tone={state === 'streaming' ? 'plain' : 'warn'}>{state}</Badge>}
      {meshCode !== null && <span className="muted">refused by the mesh: {meshCode}</span>}
    </>
  );
}

function Stats({ progress: { firstByteMs, totalMs, addedMs, bytes } }: { progress: Progress }) {
  const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);
  return (
    <p className="stats numbers">
      <span>
        First byte <strong>{ms(firstByteMs)}</strong>
      </span>
      <span>
        Total <strong>{ms(totalMs)}</strong>
      </span>
      <span>
        Mesh added <strong>{addedMs === null ? '–' : `${addedMs.toFixed(2)} ms`}</strong>
      </span>
      <span>
        Received <strong>{bytes.toLocaleString()} B</strong>
      </span>
    </p>
  );
}

/** The text of a model's stream; JSON with indents; anything else as it is. */
function readable({ contentType, text, state }: Progress): string {
  if (contentType.includes('event-stream')) return new DeltaReader().push(`${text}\n`) || text;
  if (!contentType.includes('json') || state !== 'done') return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const headerLines = ({ headers }: Progress) => headers.map(([name, value]) => `${name}: ${value}`).join('\n');

function emptyWords({ state, bytes, contentType }: Progress): string {
  if (state === 'waiting') return 'Waiting for the first byte …';
  if (bytes > 0)
    return `${bytes.toLocaleString()} bytes of ${contentType || 'unknown type'}: not shown as text.`;
  return state === 'streaming' ? '' : '(no body)';
}

/** For screen readers: the beginning and the end, not every piece in between. */
const spoken = ({ state, status }: Progress): string =>
  state === 'waiting'
    ? 'Sent'
    : state === 'streaming'
      ? `Answer ${status}, streaming`
      : `Answer ${status ?? ''} ${state}`;
