import type { KeyScope, MintedKey } from '@zeq/contracts';
import { useState } from 'react';
import { keyApi } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { FormDialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { useAction } from '../ui/use-action.ts';

interface MintKeyDialogProps {
  onClose: () => void;
  onMinted: (minted: MintedKey) => void;
}

export function MintKeyDialog({ onClose, onMinted }: MintKeyDialogProps) {
  const { slug } = useMachine();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<KeyScope>('owner');
  const mint = useAction(async () =>
    onMinted(await keyApi.mint(slug, { scope, ...(name.trim() !== '' && { name: name.trim() }) })),
  );
  return (
    <FormDialog
      title="New machine key"
      action="Make key"
      isBusy={mint.isBusy}
      error={mint.error}
      onConfirm={() => void mint.run()}
      onClose={onClose}
    >
      <TextField
        label="Name"
        placeholder="laptop, CI, Ana"
        maxLength={255}
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <SelectField label="May" value={scope} onChange={(event) => setScope(event.target.value as KeyScope)}>
        <option value="owner">everything</option>
        <option value="forward">call APIs and read</option>
        <option value="read">read only</option>
      </SelectField>
    </FormDialog>
  );
}
