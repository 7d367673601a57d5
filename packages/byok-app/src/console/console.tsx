import { type FormEvent, useEffect, useRef, useState } from 'react';
import { parseHeaderLines } from '../add/registration.ts';
import { forwardUrl } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { SelectField, TextArea, TextField } from '../ui/field.tsx';
import { PlayIcon, StopIcon } from '../ui/icons.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { Answer } from './answer.tsx';
import { samplesFor } from './sample-requests.ts';
import { type Progress, sendAndReport } from './send.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** A request through the mesh, with this session instead of a token, and its answer while it streams. */
export function ConsoleTab({ api }: TabProps) {
  const { slug } = useMachine();
  const samples = samplesFor(api);
  const [draft, setDraft] = useState({ headers: '', ...samples[0]!, path: samples[0]!.path });
  const { progress, send, stop } = useSending();
  const headers = parseHeaderLines(draft.headers);
  const isRunning = progress?.state === 'waiting' || progress?.state === 'streaming';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (headers === undefined) return;
    const path = draft.path.startsWith('/') ? draft.path : `/${draft.path}`;
    send({ url: forwardUrl(slug, api.name) + path, method: draft.method, headers, body: draft.body });
  };
  const change = (name: 'method' | 'path' | 'headers' | 'body') => (event: { target: { value: string } }) =>
    setDraft({ ...draft, [name]: event.target.value });
  return (
    <div className="console">
      <form className="card card-body stack" onSubmit={submit}>
        <div className="row spread">
          <h2>Request</h2>
          {samples.length > 1 && (
            <Choice
              label="Begin with"
              options={samples.map(({ label }) => [label, label] as const)}
              chosen={
                samples.find(({ path, method }) => path === draft.path && method === draft.method)?.label
              }
              onChoose={(label) =>
                setDraft({ ...draft, ...samples.find((sample) => sample.label === label) })
              }
            />
          )}
        </div>
        <div className="console-target">
          <SelectField label="Method" value={draft.method} onChange={change('method')}>
            {METHODS.map((method) => (
              <option key={method}>{method}</option>
            ))}
          </SelectField>
          <TextField label="Path" className="input mono" value={draft.path} onChange={change('path')} />
        </div>
        {draft.method !== 'GET' && draft.method !== 'HEAD' && (
          <TextArea label="Body" rows={11} value={draft.body} onChange={change('body')} />
        )}
        <details>
          <summary>Headers</summary>
          <TextArea
            label="Your own headers"
            hint="Name: value, one a line. The credential is attached by the mesh."
            error={headers === undefined ? 'One `Name: value` on each line.' : undefined}
            value={draft.headers}
            onChange={change('headers')}
          />
        </details>
        <div className="actions">
          {isRunning ? (
            <Button kind="primary" icon={<StopIcon />} onClick={stop}>
              Stop
            </Button>
          ) : (
            <Button kind="primary" type="submit" icon={<PlayIcon />}>
              Send
            </Button>
          )}
        </div>
      </form>
      <Answer progress={progress} />
    </div>
  );
}

/** At most one request at a time, drawn at most once a frame, stopped when the view goes. */
function useSending() {
  const [progress, setProgress] = useState<Progress>();
  const running = useRef<AbortController>(undefined);
  const latest = useRef<Progress>(undefined);
  const frame = useRef(0);
  useEffect(() => () => running.current?.abort(), []);
  const report = (next: Progress) => {
    latest.current = next;
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      setProgress(latest.current);
    });
  };
  const send = (request: Parameters<typeof sendAndReport>[0]) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const reportOwn = (next: Progress) => void (running.current === controller && report(next));
    void sendAndReport(request, reportOwn, controller.signal);
  };
  return { progress, send, stop: () => running.current?.abort() };
}
