import { presetOf } from '../providers.ts';
import { TextArea, TextField } from '../ui/field.tsx';
import type { Faults, Form } from './registration.ts';

interface PlaceFieldsProps {
  form: Form;
  faults: Faults;
  onChange: (part: Partial<Form>) => void;
}

/** What the API is called here, and where its calls go. */
export function PlaceFields({ form, faults, onChange }: PlaceFieldsProps) {
  return (
    <div className="fields">
      <TextField
        label="Name"
        hint="Stands in the address that your apps call."
        value={form.name}
        error={faults.name}
        maxLength={63}
        autoCapitalize="none"
        onChange={(event) => onChange({ name: event.target.value.toLowerCase() })}
      />
      <TextField
        label="Base URL"
        type="url"
        inputMode="url"
        placeholder={EXAMPLES[form.provider] ?? 'https://api.example.com'}
        hint={baseUrlHint(form)}
        value={form.baseUrl}
        error={faults.baseUrl}
        onChange={(event) => onChange({ baseUrl: event.target.value })}
      />
    </div>
  );
}

const EXAMPLES: Partial<Record<Form['provider'], string>> = {
  'azure-openai': 'https://your-resource.openai.azure.com',
};

function baseUrlHint({ provider }: Form): string {
  const preset = provider === 'custom' ? undefined : presetOf(provider);
  return preset?.baseUrl
    ? `${preset.label}'s own. Change it for a proxy of yours.`
    : 'Where calls go; https only.';
}

/** What has a good default. */
export const MoreFields = ({ form, faults, onChange }: PlaceFieldsProps) => (
  <details>
    <summary>Limit and extra headers</summary>
    <div className="fields">
      <TextField
        label="Calls per minute"
        inputMode="numeric"
        hint="More are answered 429."
        value={form.ratePerMinute}
        error={faults.ratePerMinute}
        onChange={(event) => onChange({ ratePerMinute: event.target.value })}
      />
      <TextArea
        label="Extra headers"
        hint="Sent with each call unless the caller sends its own. Not for secrets."
        placeholder="anthropic-version: 2023-06-01"
        value={form.extraHeaders}
        error={faults.extraHeaders}
        onChange={(event) => onChange({ extraHeaders: event.target.value })}
      />
    </div>
  </details>
);
