import type { TestResult } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { CredentialFields, Destination } from '../add/credential-fields.tsx';
import { ProviderPicker } from '../add/provider-picker.tsx';
import {
  EMPTY,
  type Faults,
  type Form,
  faultsOf,
  toRegistration,
  withProvider,
} from '../add/registration.ts';
import { TestReport } from '../add/test-report.tsx';
import { apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { presetOf } from '../providers.ts';
import { goTo, href } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { TextArea, TextField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { BackIcon, PlayIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';

/** Registers an API: provider, credential, test, save. */
export default function AddView() {
  const { slug } = useMachine();
  const [form, setForm] = useState<Form>(EMPTY);
  const [faults, setFaults] = useState<Faults>({});
  const [result, setResult] = useState<TestResult>();
  const preset = form.provider === 'custom' ? undefined : presetOf(form.provider);
  const [testPath, setTestPath] = useState<string>();
  const path = testPath ?? preset?.testPath ?? '/';

  const change = (part: Partial<Form>) => {
    setForm({ ...form, ...part });
    setResult(undefined);
    for (const name of Object.keys(part)) if (name in faults) setFaults({ ...faults, [name]: undefined });
  };
  const choose = (provider: Form['provider']) => {
    setForm(withProvider(form, provider));
    setResult(undefined);
    setFaults({});
    setTestPath(undefined);
  };
  const isComplete = () => {
    const found = faultsOf(form);
    setFaults(found);
    if (Object.keys(found).length > 0) focusFirstFault();
    return Object.keys(found).length === 0;
  };
  const test = useAction(async () => {
    const { name: _notNeeded, ...draft } = toRegistration(form);
    setResult(await apiApi.tryOut(slug, draft, { path, method: 'GET' }));
  });
  const save = useAction(async () => {
    const api = await apiApi.register(slug, toRegistration(form));
    setForm(EMPTY); // the credential leaves this page's memory with it
    changed(`apis/${slug}`);
    say(`${api.name} is registered; its credential is encrypted`);
    goTo('apis', api.name);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    test.clear();
    if (isComplete()) void save.run();
  };
  return (
    <>
      <PageHeading
        title="Add an API"
        lead="The credential is encrypted as soon as it arrives. Nothing shows it again, so keep your own copy if you need one."
        before={<Back />}
      />
      <form className="stack stack-wide" onSubmit={submit} noValidate>
        <ProviderPicker chosen={form.provider} onChoose={choose} />
        <section className="card card-body stack">
          <div className="fields">
            <TextField
              label="Name"
              hint="Stands in the address that your apps call."
              value={form.name}
              error={faults.name}
              maxLength={63}
              autoCapitalize="none"
              onChange={(event) => change({ name: event.target.value.toLowerCase() })}
            />
            <TextField
              label="Base URL"
              type="url"
              inputMode="url"
              placeholder={
                form.provider === 'azure-openai'
                  ? 'https://your-resource.openai.azure.com'
                  : 'https://api.example.com'
              }
              hint={
                preset?.baseUrl
                  ? `${preset.label}'s own. Change it for a proxy of yours.`
                  : 'Where calls go; https only.'
              }
              value={form.baseUrl}
              error={faults.baseUrl}
              onChange={(event) => change({ baseUrl: event.target.value })}
            />
          </div>
          <CredentialFields form={form} faults={faults} onChange={change} />
          <Destination form={form} />
          <details>
            <summary>Limit and extra headers</summary>
            <div className="fields">
              <TextField
                label="Calls per minute"
                inputMode="numeric"
                hint="More are answered 429."
                value={form.ratePerMinute}
                error={faults.ratePerMinute}
                onChange={(event) => change({ ratePerMinute: event.target.value })}
              />
              <TextArea
                label="Extra headers"
                hint="Sent with each call unless the caller sends its own. Not for secrets."
                placeholder="anthropic-version: 2023-06-01"
                value={form.extraHeaders}
                error={faults.extraHeaders}
                onChange={(event) => change({ extraHeaders: event.target.value })}
              />
            </div>
          </details>
        </section>
        <section className="card card-body stack" aria-label="Test">
          <div className="row">
            <div className="grow">
              <TextField
                label="Test with GET"
                value={path}
                onChange={(event) => setTestPath(event.target.value)}
                hint="One call through the mesh. Nothing is stored."
              />
            </div>
          </div>
          {test.error && <ProblemNote error={test.error} />}
          {result && <TestReport result={result} baseUrl={form.baseUrl} />}
          {save.error && <ProblemNote error={save.error} />}
          <div className="actions">
            <Button icon={<PlayIcon />} isBusy={test.isBusy} onClick={() => isComplete() && void test.run()}>
              Test
            </Button>
            <Button kind="primary" type="submit" isBusy={save.isBusy}>
              Save
            </Button>
          </div>
        </section>
      </form>
    </>
  );
}

/** After the faults have been drawn. */
function focusFirstFault(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

const Back = () => (
  <a className="crumb" href={href('apis')}>
    <BackIcon />
    APIs
  </a>
);
