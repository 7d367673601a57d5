import { useState } from 'react';
import { apiApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { goTo } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { TrashIcon } from '../ui/icons.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';
import type { TabProps } from '../views/api-detail.tsx';

/** The end of an API, after a question: nobody can bring its credential back. */
export function RemoveCard({ api }: TabProps) {
  const { slug } = useMachine();
  const [isAsking, setAsking] = useState(false);
  const remove = useAction(async () => {
    await apiApi.remove(slug, api.id);
    goTo('apis');
    changed(`apis/${slug}`);
    say(`${api.name} is removed, ciphertext and all`);
  });
  return (
    <section className="card card-danger card-body stack">
      <h2>Remove this API</h2>
      <div className="row spread">
        <p className="muted grow">
          Its credential is erased, its tokens stop working, and open calls are cut.
        </p>
        <Button kind="danger" icon={<TrashIcon />} onClick={() => setAsking(true)}>
          Remove {api.name}
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title={`Remove ${api.name}?`}
          action="Remove for good"
          isBusy={remove.isBusy}
          error={remove.error}
          onConfirm={() => void remove.run()}
          onClose={() => setAsking(false)}
        >
          <p>
            <strong>This cannot be undone.</strong> Apps that call {api.name} are refused from then on. The
            mesh cannot give the credential back, so have your own copy if you need it.
          </p>
        </Confirm>
      )}
    </section>
  );
}
