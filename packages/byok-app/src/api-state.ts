import type { ApiView } from '@zeq/contracts';

/** What an owner should know of an API at a glance. */
export function stateOf({ auth_state, warnings }: ApiView): {
  tone: 'ok' | 'warn' | 'bad' | 'plain';
  label: string;
} {
  if (auth_state === 'needs_new_header') return { tone: 'bad', label: 'Needs a new key' };
  if (auth_state === 'missing') return { tone: 'warn', label: 'No credential' };
  return warnings.length > 0 ? { tone: 'warn', label: 'Check the key' } : { tone: 'ok', label: 'Ready' };
}

/** Where the credential travels, without any of it: `Authorization …1234`. */
export function credentialWords({ auth_shape, auth_hint, has_auth_header }: ApiView): string {
  if (!has_auth_header || auth_shape === null) return 'none';
  const place =
    auth_shape.type === 'basic'
      ? 'Basic'
      : auth_shape.type === 'query'
        ? `?${auth_shape.name}=`
        : auth_shape.name;
  return `${place} ${auth_hint ?? '••••'}`;
}

export const hostOf = (baseUrl: string): string => (URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl);
