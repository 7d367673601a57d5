import type { TestResult } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { CredentialFields, Destination } from '../add/credential-fields.tsx';
import { credentialOf, EMPTY, type Form, takesCredential } from '../add/registration.ts';
import { TestReport } from '../add/test-report.tsx';
import { type Api, apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { credentialWords } from '../api-state.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { PlayIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';
import type { TabProps } from '../views/api-detail.tsx';

/** The stored credential: test it as it is, or test and store another one in its place. */
export function CredentialCard({ api, resource }: TabProps) {
  const { slug } = useMachine();
  const [isReplacing, setReplacing] = useState(!api.has_auth_header);
  const [form, setForm] = useState(() => formFor(api));
  const [path, setPath] = useState(api.test_path ?? '/');
  const [result, setResult] = useState<TestResult>();
  const isWritten = isReplacing && form.secret.trim() !== '';

  const test = useAction(async () => {
    const call = { path, method: 'GET' };
    setResult(
      isWritten ? await apiApi.tryOut(slug, draftOf(api, form), call) : await apiApi.test(slug, api.id, call),
    );
  });
  const save = useAction(async () => {
    const next = await apiApi.patch(slug, api.id, credentialOf(form));
    setForm(formFor(next)); // without the credential
    setReplacing(false);
    setResult(undefined);
    resource.put(next);
    changed(`apis/${slug}`);
    say('The new credential is encrypted and in use');
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isWritten) void save.run();
    else void test.run();
  };
  return (
    <section className="card card-body">
      <form className="stack" onSubmit={submit} noValidate>
        <div className="row spread">
          <h2>Credential</h2>
          <span className="mono muted">{credentialWords(api)}</span>
        </div>
        {isReplacing && (
          <>
            <CredentialFields form={form} faults={{}} onChange={(part) => setForm({ ...form, ...part })} />
            <Destination form={form} />
          </>
        )}
        <TextField label="Test with GET" value={path} onChange={(event) => setPath(event.target.value)} />
        {(test.error ?? save.error) && <ProblemNote error={(test.error ?? save.error) as Error} />}
        {result && <TestReport result={result} baseUrl={api.base_url} />}
        <div className="actions">
          <Button icon={<PlayIcon />} isBusy={test.isBusy} onClick={() => void test.run()}>
            {isWritten ? 'Test the new one' : 'Test'}
          </Button>
          {isReplacing ? (
            <Button kind="primary" type="submit" isBusy={save.isBusy} aria-disabled={!isWritten || undefined}>
              Store and use it
            </Button>
          ) : (
            <Button onClick={() => setReplacing(true)}>Replace</Button>
          )}
          {isReplacing && api.has_auth_header && (
            <Button
              kind="quiet"
              onClick={() => {
                setReplacing(false);
                setForm(formFor(api));
                setResult(undefined);
              }}
            >
              Keep the stored one
            </Button>
          )}
        </div>
      </form>
    </section>
  );
}

/** An empty form in the shape that the credential has now. */
function formFor({ provider, auth_shape: shape, base_url }: Api): Form {
  return {
    ...EMPTY,
    provider: provider !== null && takesCredential({ ...EMPTY, provider }) ? provider : 'custom',
    baseUrl: base_url,
    place: shape?.type ?? 'header',
    placeName: shape !== null && 'name' in shape ? shape.name : 'Authorization',
  };
}

const draftOf = (api: Api, form: Form) => ({
  ...(api.provider !== null && { provider: api.provider }),
  base_url: api.base_url,
  extra_headers: api.extra_headers,
  policy: api.policy,
  ...credentialOf(form),
});
