import { type FormEvent, useState } from 'react';
import { parseHeaderLines } from '../add/registration.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { SelectField, TextArea, TextField } from '../ui/field.tsx';
import { PlayIcon, StopIcon } from '../ui/icons.tsx';
import type { Sample } from './sample-requests.ts';
import type { ConsoleRequest } from './send.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

interface Draft {
  method: string;
  path: string;
  body: string;
  /** `Name: value` lines. */
  headers: string;
}

interface RequestFormProps {
  samples: readonly [Sample, ...Sample[]];
  /** Where a path begins. */
  forward: string;
  isRunning: boolean;
  onSend: (request: ConsoleRequest) => void;
  onStop: () => void;
}

/** A request to be sent, begun with one that makes sense for this API. */
export function RequestForm({ samples, forward, isRunning, onSend, onStop }: RequestFormProps) {
  const [draft, setDraft] = useState<Draft>({ headers: '', ...samples[0] });
  const headers = parseHeaderLines(draft.headers);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (headers === undefined || isRunning) return;
    const path = draft.path.startsWith('/') ? draft.path : `/${draft.path}`;
    onSend({ url: forward + path, method: draft.method, headers, body: draft.body });
  };
  const field = (name: keyof Draft) => ({
    value: draft[name],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
  });
  return (
    <form className="card card-body stack" onSubmit={submit}>
      <div className="row spread">
        <h2>Request</h2>
        <SampleChoice samples={samples} draft={draft} onChoose={(part) => setDraft({ ...draft, ...part })} />
      </div>
      <div className="console-target">
        <SelectField label="Method" {...field('method')}>
          {METHODS.map((method) => (
            <option key={method}>{method}</option>
          ))}
        </SelectField>
        <TextField label="Path" className="input mono" {...field('path')} />
      </div>
      {takesBody(draft) && <TextArea label="Body" rows={11} {...field('body')} />}
      <details>
        <summary>Headers</summary>
        <TextArea
          label="Your own headers"
          hint="Name: value, one a line. The credential is attached by the mesh."
          error={headers === undefined ? 'One `Name: value` on each line.' : undefined}
          {...field('headers')}
        />
      </details>
      <div className="actions">
        <SendOrStop isRunning={isRunning} onStop={onStop} />
      </div>
    </form>
  );
}

const takesBody = ({ method }: Draft): boolean => method !== 'GET' && method !== 'HEAD';

interface SampleChoiceProps {
  samples: readonly Sample[];
  draft: Draft;
  onChoose: (sample: Partial<Sample>) => void;
}

function SampleChoice({ samples, draft, onChoose }: SampleChoiceProps) {
  if (samples.length < 2) return null;
  const current = samples.find(({ path, method }) => path === draft.path && method === draft.method);
  return (
    <Choice
      label="Begin with"
      options={samples.map(({ label }) => [label, label] as const)}
      chosen={current?.label}
      onChoose={(label) => onChoose(samples.find((sample) => sample.label === label) ?? {})}
    />
  );
}

const SendOrStop = ({ isRunning, onStop }: { isRunning: boolean; onStop: () => void }) =>
  isRunning ? (
    <Button kind="primary" icon={<StopIcon />} onClick={onStop}>
      Stop
    </Button>
  ) : (
    <Button kind="primary" type="submit" icon={<PlayIcon />}>
      Send
    </Button>
  );
