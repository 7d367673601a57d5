import { keyApi, tokenApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { SearchIcon } from '../ui/icons.tsx';
import type { Filter } from './filter.ts';

interface FiltersProps {
  apiRef: string;
  filter: Filter;
  onChange: (part: Partial<Filter>) => void;
}

/** What to look for. Filters go together, and the mesh applies them: they search everything that is kept. */
export function Filters({ apiRef, filter, onChange }: FiltersProps) {
  const field = <Name extends keyof Filter>(name: Name) => ({
    isLabelHidden: true,
    value: filter[name],
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  });
  return (
    <search className="toolbar">
      <div className="search">
        <SearchIcon />
        <TextField
          label="Path"
          type="search"
          placeholder="Part of the path"
          maxLength={256}
          {...field('path')}
        />
      </div>
      <SelectField label="Status" {...field('status')}>
        <option value="">Any status</option>
        <option value="2xx">2xx</option>
        <option value="3xx">3xx</option>
        <option value="4xx">4xx</option>
        <option value="5xx">5xx</option>
        <option value="1xx">WebSocket</option>
        <option value="none">No answer</option>
      </SelectField>
      <SelectField label="Who said no" {...field('saidNo')}>
        <option value="">Refused or not</option>
        <option value="mesh">The mesh said no</option>
        <option value="upstream">The upstream said no</option>
      </SelectField>
      <SelectField label="Caller" {...field('caller')}>
        <option value="">Every caller</option>
        <Callers apiRef={apiRef} />
      </SelectField>
    </search>
  );
}

/** Everybody who may call: app tokens of this API, and the keys of the machine. */
function Callers({ apiRef }: { apiRef: string }) {
  const { slug } = useMachine();
  const tokens = useResource(`tokens/${slug}/${apiRef}`, (signal) => tokenApi.list(slug, apiRef, signal));
  const keys = useResource(`keys/${slug}`, (signal) => keyApi.list(slug, signal));
  const option = ({ id, name, prefix }: { id: string; name: string | null; prefix: string }) => (
    <option key={id} value={id}>
      {name || `${prefix}…`}
    </option>
  );
  return (
    <>
      <optgroup label="App tokens">{tokens.data?.tokens.map(option)}</optgroup>
      <optgroup label="Machine keys">{keys.data?.keys.map(option)}</optgroup>
    </>
  );
}
