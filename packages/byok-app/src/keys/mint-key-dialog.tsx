import type { KeyScope, MintedKey } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { keyApi } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/states.tsx';
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void mint.run();
  };
  return (
    <Dialog title="New machine key" onClose={onClose}>
      <form onSubmit={submit}>
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
        {mint.error && <ProblemNote error={mint.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={mint.isBusy}>
            Make key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
