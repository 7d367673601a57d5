import type { KeyScope, MachineKey } from '@zeq/contracts';
import { keyApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { RevocableTable } from '../ui/revocable-table.tsx';

const SCOPES: Record<KeyScope, string> = { owner: 'everything', forward: 'call and read', read: 'read' };

/** The keys of the machine, each with its end. */
export function KeyTable({ keys }: { keys: MachineKey[] }) {
  const { slug } = useMachine();
  const revoke = async (key: MachineKey) => {
    await keyApi.revoke(slug, key.id);
    changed(`keys/${slug}`);
  };
  return (
    <RevocableTable
      caption="Machine keys"
      rows={keys}
      kind="Key"
      named="Name"
      scope={{ label: 'Scope', width: '150px', cell: ({ scope }) => SCOPES[scope] }}
      warning={<Warning isLast={keys.length === 1} slug={slug} />}
      revoke={revoke}
    />
  );
}

const Warning = ({ isLast, slug }: { isLast: boolean; slug: string }) => (
  <>
    Everything that uses this key is refused within a second, and sessions opened with it end, this one
    included if you signed in with it.{' '}
    {isLast && <strong>It is the last key: without another one nobody can sign in to {slug} again.</strong>}
  </>
);
