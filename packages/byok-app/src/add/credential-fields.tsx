import { hostOf } from '../api-state.ts';
import { presetOf } from '../providers.ts';
import { SecretField, SelectField, TextField } from '../ui/field.tsx';
import { type Faults, type Form, isHeaderLine, takesCredential } from './registration.ts';

interface CredentialFieldsProps {
  form: Form;
  faults: Faults;
  onChange: (part: Partial<Form>) => void;
}

/** The credential in the shape that the provider wants: a bare key, or for others a header, a parameter or a pair. */
export function CredentialFields(props: CredentialFieldsProps) {
  const { form, faults, onChange } = props;
  if (form.provider === 'custom') return <CustomCredential {...props} />;
  if (!takesCredential(form))
    return (
      <p className="muted">
        This provider takes no key. Its address has to be allowed by whoever runs the mesh.
      </p>
    );
  return (
    <SecretField
      label="API key"
      hint={`As ${presetOf(form.provider)?.label ?? 'the provider'} shows it, without any prefix.`}
      value={form.secret}
      error={faults.secret}
      onChange={(event) => onChange({ secret: event.target.value })}
    />
  );
}

function CustomCredential(props: CredentialFieldsProps) {
  const { form, faults, onChange } = props;
  const place = (value: string) => onChange({ place: value as Form['place'], placeName: NAMES[value] ?? '' });
  return (
    <div className="stack">
      <div className="fields">
        <SelectField
          label="The credential travels in"
          value={form.place}
          onChange={(event) => place(event.target.value)}
        >
          <option value="header">a header</option>
          <option value="query">a query parameter</option>
          <option value="basic">user name and password</option>
        </SelectField>
        <PlaceName {...props} />
      </div>
      <SecretField
        label={form.place === 'basic' ? 'Password' : 'Value'}
        hint={
          form.place === 'header'
            ? 'Everything after the colon, for example Bearer sk-… A whole "Name: value" line works too.'
            : undefined
        }
        value={form.secret}
        error={faults.secret}
        onChange={(event) => onChange({ secret: event.target.value })}
      />
    </div>
  );
}

/** What stands beside the secret: the name of the header or parameter, or of the user. */
const PlaceName = ({ form, faults, onChange }: CredentialFieldsProps) =>
  form.place === 'basic' ? (
    <TextField
      label="User name"
      value={form.username}
      onChange={(event) => onChange({ username: event.target.value })}
    />
  ) : (
    <TextField
      label={form.place === 'header' ? 'Header name' : 'Parameter name'}
      value={form.placeName}
      error={faults.placeName}
      onChange={(event) => onChange({ placeName: event.target.value })}
    />
  );

const NAMES: Record<string, string> = { header: 'Authorization', query: 'key' };
const DOTS = '••••••••';

/** Says in plain text where the credential will go, and that it goes nowhere else. */
export function Destination({ form }: { form: Form }) {
  if (!takesCredential(form) || !URL.canParse(form.baseUrl.trim())) return null;
  return (
    <div className="destination">
      <span className="muted">
        Sent only to <code>{hostOf(form.baseUrl.trim())}</code>, as
      </span>
      <code>{lineOf(form)}</code>
    </div>
  );
}

function lineOf({ provider, place, placeName, username, secret }: Form): string {
  if (provider !== 'custom') return (presetOf(provider)?.authHeader ?? '').replace('{key}', DOTS);
  if (place === 'query') return `?${placeName}=${DOTS}`;
  if (place === 'basic') return `Authorization: Basic ${username}:${DOTS}`;
  const line = secret.trim();
  return `${isHeaderLine(line) ? line.slice(0, line.indexOf(':')) : placeName}: ${DOTS}`;
}
