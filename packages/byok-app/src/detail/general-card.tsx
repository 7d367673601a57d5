import type { PatchApi } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { type Api, apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { goTo } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';
import type { TabProps } from '../views/api-detail.tsx';
import { PolicyFields } from './policy-fields.tsx';
import { formOf, type SettingsForm, settingsFaults, toPatch } from './settings-form.ts';

type CardProps = Pick<TabProps, 'api' | 'resource'>;

/** Address, limits and policy. Only what was changed is sent. */
export function GeneralCard({ api, resource }: CardProps) {
  const { field, isChanged, dropsCredential, discard, submit, save } = useSettings({ api, resource });
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
        <PolicyFields field={field} />
        {save.error && <ProblemNote error={save.error} />}
        <div className="actions">
          <Button kind="primary" type="submit" isBusy={save.isBusy} aria-disabled={!isChanged || undefined}>
            Save changes
          </Button>
          {isChanged && <Button onClick={discard}>Discard</Button>}
        </div>
      </form>
    </section>
  );
}

function useSettings({ api, resource }: CardProps) {
  const [form, setForm] = useState(() => formOf(api));
  const faults = settingsFaults(form);
  const patch = toPatch(form, api);
  const isChanged = Object.keys(patch).length > 0;
  const save = useSave({ api, resource }, patch, (next) => setForm(formOf(next)));
  const field = (name: keyof SettingsForm) => ({
    value: form[name],
    error: faults[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged && Object.keys(faults).length === 0) void save.run();
  };
  const dropsCredential = api.has_auth_header && movesOrigin(patch, api);
  return { field, isChanged, dropsCredential, discard: () => setForm(formOf(api)), submit, save };
}

export type SettingsField = ReturnType<typeof useSettings>['field'];

function useSave({ api, resource }: CardProps, patch: PatchApi, onSaved: (next: Api) => void) {
  const { slug } = useMachine();
  return useAction(async () => {
    const next = await apiApi.patch(slug, api.id, patch);
    onSaved(next);
    if (next.name === api.name) resource.put(next);
    changed(`apis/${slug}`);
    say('Saved');
    if (next.name !== api.name) goTo('apis', next.name, 'settings');
  });
}

const movesOrigin = (patch: PatchApi, api: Api): boolean =>
  patch.base_url !== undefined && originOf(patch.base_url) !== originOf(api.base_url);

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : url);
