import type { AppToken } from '@zeq/contracts';
import { tokenApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { RevocableTable } from '../ui/revocable-table.tsx';

const WARNING =
  'The app that holds it is refused within a second, and its open streams end within five. This cannot be undone; a new token can be made at any time.';

/** The tokens of an API, each with its end. */
export function TokenTable({ tokens, apiRef }: { tokens: AppToken[]; apiRef: string }) {
  const { slug } = useMachine();
  const revoke = async (token: AppToken) => {
    await tokenApi.revoke(slug, apiRef, token.id);
    changed(`tokens/${slug}/`);
  };
  return (
    <RevocableTable
      caption="Tokens"
      rows={tokens}
      kind="Token"
      named="App"
      scope={{ label: 'May', cell: scopeWords }}
      warning={WARNING}
      revoke={revoke}
    />
  );
}

/** A token's scope in words. */
function scopeWords({
  allowed_methods,
  allowed_path_prefixes,
  rate_limit_per_min,
}: Pick<AppToken, 'allowed_methods' | 'allowed_path_prefixes' | 'rate_limit_per_min'>): string {
  const methods = allowed_methods === null ? 'any method' : allowed_methods.join(', ');
  const paths = allowed_path_prefixes === null ? 'any path' : allowed_path_prefixes.join(', ');
  const limit = rate_limit_per_min === null ? '' : `, ${rate_limit_per_min.toLocaleString()} a minute`;
  return allowed_methods === null && allowed_path_prefixes === null
    ? `everything${limit}`
    : `${methods} on ${paths}${limit}`;
}
