import { CredentialFields, Destination } from '../add/credential-fields.tsx';
import { TestReport } from '../add/test-report.tsx';
import { credentialWords } from '../api-state.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { PlayIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { type Credential, useCredential } from './use-credential.ts';

/** The stored credential: test it as it is, or test and store another one in its place. */
export function CredentialCard({ api, resource }: TabProps) {
  const credential = useCredential(api, resource);
  const { form, path, result, isReplacing } = credential;
  const error = credential.test.error ?? credential.save.error;
  return (
    <section className="card card-body">
      <form className="stack" onSubmit={credential.submit} noValidate>
        <div className="row spread">
          <h2>Credential</h2>
          <span className="mono muted">{credentialWords(api)}</span>
        </div>
        {isReplacing && (
          <>
            <CredentialFields form={form} faults={{}} onChange={credential.change} />
            <Destination form={form} />
          </>
        )}
        <TextField
          label="Test with GET"
          value={path}
          onChange={(event) => credential.setPath(event.target.value)}
        />
        {error && <ProblemNote error={error} />}
        {result && <TestReport result={result} baseUrl={api.base_url} />}
        <Actions credential={credential} mayKeep={api.has_auth_header} />
      </form>
    </section>
  );
}

/** @param mayKeep There is a stored one to go back to. */
const Actions = ({ credential, mayKeep }: { credential: Credential; mayKeep: boolean }) => {
  const { test, save, isWritten, isReplacing, replace, keep } = credential;
  return (
    <div className="actions">
      <Button icon={<PlayIcon />} isBusy={test.isBusy} onClick={() => void test.run()}>
        {isWritten ? 'Test the new one' : 'Test'}
      </Button>
      {isReplacing ? (
        <Button kind="primary" type="submit" isBusy={save.isBusy} aria-disabled={!isWritten || undefined}>
          Store and use it
        </Button>
      ) : (
        <Button onClick={replace}>Replace</Button>
      )}
      {isReplacing && mayKeep && (
        <Button kind="quiet" onClick={keep}>
          Keep the stored one
        </Button>
      )}
    </div>
  );
};
