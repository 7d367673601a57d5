import { type FormEvent, useEffect, useState } from 'react';
import { ApiProblem } from '../api/client.ts';
import { signIn } from '../api/session.ts';
import { href } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { CodeBlock } from '../ui/copy.tsx';
import { SecretField } from '../ui/field.tsx';
import { ArrowIcon, ClockIcon, KeyIcon, Mark, ShieldIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { useAction } from '../ui/use-action.ts';

export function SignIn() {
  useEffect(() => {
    document.title = 'Sign in · Zeq mesh';
  }, []);
  return (
    <div className="door">
      <main className="door-form">
        <div>
          <div className="row">
            <Mark size={36} />
            <strong>Zeq mesh</strong>
          </div>
          <div className="stack">
            <h1>Sign in to your machine</h1>
            <p className="muted">
              Paste its key. It is exchanged for a session of 15 minutes and not kept in this browser.
            </p>
          </div>
          <KeyForm action="Sign in" />
          <NoMachine />
          <p className="faint">
            Without a key: <a href={href('operators')}>operators</a>, <a href={href('clock')}>clock</a>,{' '}
            <a href="/api-docs">API docs</a>
          </p>
        </div>
      </main>
      <Promises />
    </div>
  );
}

/** The field for a machine key, and what becomes of it. */
export function KeyForm({ action }: { action: string }) {
  const [key, setKey] = useState('');
  const [fault, setFault] = useState<string>();
  const open = useAction(async (machineKey: string) => {
    try {
      await signIn(machineKey);
    } catch (err) {
      if (!isRefused(err)) throw err; // nobody has said no: it need not be pasted again
      setKey('');
      throw err;
    }
    setKey('');
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = faultOf(key.trim());
    setFault(wrong);
    if (wrong !== undefined) return;
    await open.run(key.trim());
  };
  return (
    <form onSubmit={submit} noValidate>
      <SecretField
        label="Machine key"
        placeholder="zsm_…"
        autoFocus
        value={key}
        onChange={(event) => setKey(event.target.value)}
        error={fault ?? (isRefused(open.error) ? wordsFor(open.error) : undefined)}
      />
      {open.error && !isRefused(open.error) && <ProblemNote error={open.error} />}
      <Button kind="primary" type="submit" isBusy={open.isBusy}>
        {action}
      </Button>
    </form>
  );
}

const isRefused = (err: unknown): err is ApiProblem => err instanceof ApiProblem && err.status === 401;

/** What can be said before anything is sent. */
export function faultOf(key: string): string | undefined {
  if (key === '') return 'Paste the key of your machine; it begins with zsm_.';
  if (key.startsWith('zat_'))
    return 'This is an app token: it can call one API, not open this page. Paste the machine key (zsm_…).';
  if (!/^zsm_[0-9A-Za-z]{43}$/.test(key))
    return 'This is not a whole machine key: zsm_ and 43 letters and digits.';
  return undefined;
}

const wordsFor = ({ code }: ApiProblem): string =>
  code === 'token_expired'
    ? 'This key has expired. Use another key of the machine.'
    : 'The mesh does not know this key. It may have been revoked.';

const NoMachine = () => (
  <details>
    <summary>No machine yet?</summary>
    <div className="stack">
      <p>Whoever runs this mesh makes one with the platform key. The answer shows the machine key, once.</p>
      <CodeBlock
        what="command that creates a machine"
        code={`curl ${location.origin}/api/zeq/machines \\\n  -H "X-API-Key: $PLATFORM_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"slug":"my-team"}'`}
      />
    </div>
  </details>
);

const Promises = () => (
  <aside className="door-side" aria-label="What the mesh does">
    <h2>One key, registered once. Never pasted again.</h2>
    <ul className="promises">
      <li>
        <ShieldIcon />
        <div>
          <strong>The key never comes back</strong>
          <p>
            Encrypted when it arrives, attached to each call, shown by nothing: no page, error, log or dump.
          </p>
        </div>
      </li>
      <li>
        <KeyIcon />
        <div>
          <strong>Every app has a token of its own</strong>
          <p>With an end and a scope. Revoke one, and only that app stops, within a second.</p>
        </div>
      </li>
      <li>
        <ClockIcon />
        <div>
          <strong>The call is as good as a direct one</strong>
          <p>Any method, stream or socket. The provider's own SDK works with another base URL.</p>
        </div>
      </li>
    </ul>
    <div className="road" aria-hidden="true">
      <span>your app</span>
      <ArrowIcon />
      <span>token</span>
      <ArrowIcon />
      <span>mesh</span>
      <ArrowIcon />
      <span>provider</span>
    </div>
  </aside>
);
