import type { MintedToken, MintToken } from '@zeq/contracts';
import { useState } from 'react';
import { type Api, tokenApi } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { FormDialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { useAction } from '../ui/use-action.ts';

interface MintDialogProps {
  api: Api;
  onClose: () => void;
  onMinted: (minted: MintedToken) => void;
}

const DAY_SECONDS = 86_400;
const LIVES: readonly [string, number | undefined][] = [
  ['1 day', DAY_SECONDS],
  ['30 days', 30 * DAY_SECONDS],
  ['90 days', 90 * DAY_SECONDS],
  ['1 year', 365 * DAY_SECONDS],
  ['never', undefined],
];

export interface TokenForm {
  name: string;
  /** Seconds, or empty for no end. */
  life: string;
  methods: string;
  paths: string;
  perMinute: string;
}

const EMPTY: TokenForm = {
  name: '',
  life: String(90 * DAY_SECONDS),
  methods: '',
  paths: '',
  perMinute: '',
};

export function MintDialog({ api, onClose, onMinted }: MintDialogProps) {
  const { slug } = useMachine();
  const [form, setForm] = useState(EMPTY);
  const mint = useAction(async () => onMinted(await tokenApi.mint(slug, api.id, toMintToken(form))));
  const field: Field = (name) => ({
    value: form[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  return (
    <FormDialog
      title={`New token for ${api.name}`}
      action="Make token"
      isBusy={mint.isBusy}
      error={mint.error}
      onConfirm={() => void mint.run()}
      onClose={onClose}
    >
      <TextField
        label="App"
        placeholder="website, batch job, Ana's laptop"
        maxLength={255}
        autoFocus
        {...field('name')}
      />
      <SelectField label="Ends after" {...field('life')}>
        {LIVES.map(([label, seconds]) => (
          <option key={label} value={seconds ?? ''}>
            {label}
          </option>
        ))}
      </SelectField>
      <NarrowFields field={field} />
    </FormDialog>
  );
}

type Field = (name: keyof TokenForm) => {
  value: string;
  onChange: (event: { target: { value: string } }) => void;
};

const NarrowFields = ({ field }: { field: Field }) => (
  <details>
    <summary>Narrow what it may do</summary>
    <div className="stack">
      <TextField label="Methods" placeholder="GET, POST" hint="Empty: any." {...field('methods')} />
      <TextField
        label="Paths that begin with"
        placeholder="/v1/chat, /v1/models"
        hint="Empty: any."
        {...field('paths')}
      />
      <TextField
        label="Calls per minute"
        inputMode="numeric"
        hint="Empty: the API's own limit."
        {...field('perMinute')}
      />
    </div>
  </details>
);

/** What the form asks for; what was left empty is left out. */
export function toMintToken({ name, life, methods, paths, perMinute }: TokenForm): MintToken {
  const list = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');
  return {
    ...(name.trim() !== '' && { name: name.trim() }),
    ...(life !== '' && { expires_in_seconds: Number(life) }),
    ...(list(methods).length > 0 && { allowed_methods: list(methods).map((method) => method.toUpperCase()) }),
    ...(list(paths).length > 0 && { allowed_path_prefixes: list(paths) }),
    ...(perMinute.trim() !== '' && { rate_limit_per_min: Number(perMinute) }),
  };
}
