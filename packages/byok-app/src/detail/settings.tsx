import { type FormEvent, useState } from 'react';
import { apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { goTo } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { TextArea, TextField } from '../ui/field.tsx';
import { TrashIcon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';
import type { TabProps } from '../views/api-detail.tsx';
import { CredentialCard } from './credential-card.tsx';
import { formOf, type SettingsForm, settingsFaults, toPatch } from './settings-form.ts';

/** Everything about an API that its owner may change. */
export function SettingsTab(props: TabProps) {
  return (
    <div className="stack stack-wide">
      <GeneralCard {...props} />
      <CredentialCard {...props} />
      <RemoveCard {...props} />
    </div>
  );
}

function GeneralCard({ api, resource }: TabProps) {
  const { slug } = useMachine();
  const [form, setForm] = useState(() => formOf(api));
  const faults = settingsFaults(form);
  const patch = toPatch(form, api);
  const isChanged = Object.keys(patch).length > 0;
  const dropsCredential =
    patch.base_url !== undefined &&
    originOf(patch.base_url) !== originOf(api.base_url) &&
    api.has_auth_header;
  const save = useAction(async () => {
    const next = await apiApi.patch(slug, api.id, patch);
    setForm(formOf(next));
    if (next.name === api.name) resource.put(next);
    changed(`apis/${slug}`);
    say('Saved');
    if (next.name !== api.name) goTo('apis', next.name, 'settings');
  });
  const field = (name: keyof SettingsForm) => ({
    value: form[name],
    error: faults[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged && Object.keys(faults).length === 0) void save.run();
  };
  return (
    <section className="card card-body">
      <form className="stack" onSubmit={submit} noValidate>
        <h2>Address, limits and policy</h2>
        <div className="fields">
          <TextField label="Name" hint="Apps call it by this name." {...field('name')} />
          <TextField label="Base URL" type="url" {...field('baseUrl')} />
          <TextField label="Calls per minute" inputMode="numeric" {...field('ratePerMinute')} />
        </div>
        {dropsCredential && (
          <p className="notice notice-warn" role="status">
            A credential belongs to the place it may go. With another origin it is dropped: give it again
            below.
          </p>
        )}
        <details>
          <summary>Policy</summary>
          <div className="fields">
            <TextField label="Calls at once" inputMode="numeric" {...field('concurrency')} />
            <TextField label="Largest request body (MiB)" inputMode="decimal" {...field('maxBodyMib')} />
            <TextField label="Connect within (s)" inputMode="decimal" {...field('connectSeconds')} />
            <TextField label="First byte within (s)" inputMode="decimal" {...field('firstByteSeconds')} />
            <TextField label="Silence allowed (s)" inputMode="decimal" {...field('idleSeconds')} />
            <TextField
              label="Allowed methods"
              placeholder="GET, POST"
              hint="Empty: any."
              {...field('methods')}
            />
          </div>
          <div className="fields">
            <TextArea
              label="Allowed paths"
              placeholder="/v1/"
              hint="Beginnings, one a line. Empty: any."
              {...field('paths')}
            />
            <TextArea
              label="Extra headers"
              hint="Name: value, one a line. Not for secrets."
              {...field('extraHeaders')}
            />
          </div>
        </details>
        {save.error && <ProblemNote error={save.error} />}
        <div className="actions">
          <Button kind="primary" type="submit" isBusy={save.isBusy} aria-disabled={!isChanged || undefined}>
            Save changes
          </Button>
          {isChanged && <Button onClick={() => setForm(formOf(api))}>Discard</Button>}
        </div>
      </form>
    </section>
  );
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : url);

function RemoveCard({ api }: TabProps) {
  const { slug } = useMachine();
  const [isAsking, setAsking] = useState(false);
  const remove = useAction(async () => {
    await apiApi.remove(slug, api.id);
    goTo('apis');
    changed(`apis/${slug}`);
    say(`${api.name} is removed, ciphertext and all`);
  });
  return (
    <section className="card card-danger card-body stack">
      <h2>Remove this API</h2>
      <div className="row spread">
        <p className="muted grow">
          Its credential is erased, its tokens stop working, and open calls are cut.
        </p>
        <Button kind="danger" icon={<TrashIcon />} onClick={() => setAsking(true)}>
          Remove {api.name}
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title={`Remove ${api.name}?`}
          action="Remove for good"
          isBusy={remove.isBusy}
          error={remove.error}
          onConfirm={() => void remove.run()}
          onClose={() => setAsking(false)}
        >
          <p>
            <strong>This cannot be undone.</strong> Apps that call {api.name} are refused from then on. The
            mesh cannot give the credential back, so have your own copy if you need it.
          </p>
        </Confirm>
      )}
    </section>
  );
}
