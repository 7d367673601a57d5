import { PRESETS } from '../providers.ts';
import { Tile } from '../ui/tile.tsx';
import type { Form } from './registration.ts';

interface ProviderPickerProps {
  chosen: Form['provider'];
  onChoose: (provider: Form['provider']) => void;
}

/** One tile for each preset, and one for everything else. Radio buttons underneath: arrow keys move between them. */
export function ProviderPicker({ chosen, onChoose }: ProviderPickerProps) {
  const option = (id: Form['provider'], label: string) => (
    <label className="provider" key={id}>
      <input type="radio" name="provider" checked={chosen === id} onChange={() => onChoose(id)} />
      <Tile provider={id} name={id === 'custom' ? '+' : label} />
      {label}
    </label>
  );
  return (
    <fieldset>
      <legend>Provider</legend>
      <div className="providers">
        {PRESETS.map(({ id, label }) => option(id, label))}
        {option('custom', 'Any other API')}
      </div>
    </fieldset>
  );
}
