import { SelectField, TextField } from '../ui/field.tsx';
import { SearchIcon } from '../ui/icons.tsx';

/** From contracts; written here so that the first load carries no schema. */
const TIERS = ['Core Physics', 'Applied Science', 'Computational', 'Experimental'];
const MAX_CHARS = 200;

interface OperatorSearchProps {
  words: string;
  tier: string;
  onWords: (words: string) => void;
  onTier: (tier: string) => void;
}

export const OperatorSearch = ({ words, tier, onWords, onTier }: OperatorSearchProps) => (
  <div className="toolbar">
    <search className="search">
      <SearchIcon />
      <TextField
        label="Search operators"
        isLabelHidden
        type="search"
        placeholder="Id, name or what it describes"
        value={words}
        onChange={(event) => onWords(event.target.value.slice(0, MAX_CHARS))}
      />
    </search>
    <SelectField label="Tier" isLabelHidden value={tier} onChange={(event) => onTier(event.target.value)}>
      <option value="">All tiers</option>
      {TIERS.map((label, i) => (
        <option key={label} value={i + 1}>
          {label}
        </option>
      ))}
    </SelectField>
  </div>
);
