import type { FormEvent } from 'react';
import { CredentialFields, Destination } from '../add/credential-fields.tsx';
import { MoreFields, PlaceFields } from '../add/place-fields.tsx';
import { ProviderPicker } from '../add/provider-picker.tsx';
import { toRegistration } from '../add/registration.ts';
import { TestReport } from '../add/test-report.tsx';
import { type Draft, useDraft } from '../add/use-draft.ts';
import { apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { goTo, href } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { BackIcon, PlayIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { type Action, useAction } from '../ui/use-action.ts';

/** Registers an API: provider, credential, test, save. */
export default function AddView() {
  const draft = useDraft();
  const { form, faults, change, choose } = draft;
  const test = useTest(draft);
  const save = useSave(draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    test.clear();
    if (draft.isComplete()) void save.run();
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
        <section className="card card-body stack" aria-label="Address and credential">
          <PlaceFields form={form} faults={faults} onChange={change} />
          <CredentialFields form={form} faults={faults} onChange={change} />
          <Destination form={form} />
          <MoreFields form={form} faults={faults} onChange={change} />
        </section>
        <TestAndSave draft={draft} test={test} save={save} />
      </form>
    </>
  );
}

/** One call with the credential as it was typed; nothing of it is stored. */
function useTest({ form, testPath, setResult }: Draft): Action<[], void> {
  const { slug } = useMachine();
  return useAction(async () => {
    const { name: _notNeeded, ...api } = toRegistration(form);
    setResult(await apiApi.tryOut(slug, api, { path: testPath, method: 'GET' }));
  });
}

function useSave({ form, forget }: Draft): Action<[], void> {
  const { slug } = useMachine();
  return useAction(async () => {
    const api = await apiApi.register(slug, toRegistration(form));
    forget(); // the credential leaves this page's memory with it
    changed(`apis/${slug}`);
    say(`${api.name} is registered; its credential is encrypted`);
    goTo('apis', api.name);
  });
}

interface TestAndSaveProps {
  draft: Draft;
  test: Action<[], void>;
  save: Action<[], void>;
}

const TestAndSave = ({ draft, test, save }: TestAndSaveProps) => (
  <section className="card card-body stack" aria-label="Test">
    <TextField
      label="Test with GET"
      value={draft.testPath}
      onChange={(event) => draft.setTestPath(event.target.value)}
      hint="One call through the mesh. Nothing is stored."
    />
    {test.error && <ProblemNote error={test.error} />}
    {draft.result && <TestReport result={draft.result} baseUrl={draft.form.baseUrl} />}
    {save.error && <ProblemNote error={save.error} />}
    <div className="actions">
      <Button icon={<PlayIcon />} isBusy={test.isBusy} onClick={() => draft.isComplete() && void test.run()}>
        Test
      </Button>
      <Button kind="primary" type="submit" isBusy={save.isBusy}>
        Save
      </Button>
    </div>
  </section>
);

const Back = () => (
  <a className="crumb" href={href('apis')}>
    <BackIcon />
    APIs
  </a>
);
