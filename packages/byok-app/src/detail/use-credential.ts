import type { TestResult } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { credentialOf, EMPTY, type Form, takesCredential } from '../add/registration.ts';
import { type Api, apiApi } from '../api/mesh.ts';
import { changed, type Resource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';

export type Credential = ReturnType<typeof useCredential>;

/** The credential of an API: as it is stored, or another one while it is being written and tested. */
export function useCredential(api: Api, resource: Resource<Api>) {
  const { slug } = useMachine();
  const [isReplacing, setReplacing] = useState(!api.has_auth_header);
  const [form, setForm] = useState(() => formFor(api));
  const [path, setPath] = useState(api.test_path ?? '/');
  const [result, setResult] = useState<TestResult>();
  const isWritten = isReplacing && form.secret.trim() !== '';
  const leave = (next: Api) => {
    setForm(formFor(next)); // without the credential
    setReplacing(false);
    setResult(undefined);
  };
  const test = useAction(async () => {
    const call = { path, method: 'GET' };
    setResult(
      isWritten ? await apiApi.tryOut(slug, draftOf(api, form), call) : await apiApi.test(slug, api.id, call),
    );
  });
  const save = useAction(async () => {
    const next = await apiApi.patch(slug, api.id, credentialOf(form));
    leave(next);
    resource.put(next);
    changed(`apis/${slug}`);
    say('The new credential is encrypted and in use');
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isWritten) void save.run();
    else void test.run();
  };
  const change = (part: Partial<Form>) => {
    setForm({ ...form, ...part });
    setResult(undefined);
  };
  const replace = () => setReplacing(true);
  return {
    form,
    path,
    result,
    isReplacing,
    isWritten,
    test,
    save,
    submit,
    change,
    setPath,
    replace,
    keep: () => leave(api),
  };
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
