import { AuthShape, DEFAULT_POLICY, Policy, PROVIDERS, ProviderId } from '@zeq/contracts';
import { z } from 'zod';
import type { ApiRow } from '../store/api-store.ts';

/** The structured columns of a row, read. */
export interface ApiDetails {
  provider: ProviderId | null;
  authShape: AuthShape | null;
  warnings: string[];
  extraHeaders: Record<string, string>;
  policy: Policy;
  schema: z.core.util.JSONType | null;
  /** A column does not hold what it should, so somebody edited it; defaults stand in for it and the credential will not open. */
  damaged: boolean;
}

/** Reads the JSON of a row. A column that cannot be read never breaks the list it is in. */
export function readDetails(row: ApiRow): ApiDetails {
  const damaged: string[] = [];
  const read = <T extends z.ZodType>(schema: T, name: string, text: string | null, fallback: z.output<T>) => {
    const parsed = schema.safeParse(parseJson(text));
    if (!parsed.success) damaged.push(name);
    return parsed.success ? parsed.data : fallback;
  };
  return {
    provider: read(ProviderId.nullable(), 'provider', row.provider && JSON.stringify(row.provider), null),
    authShape: read(AuthShape.nullable(), 'auth_shape', row.authShape, null),
    warnings: read(z.array(z.string()), 'warnings', row.warnings, []),
    extraHeaders: read(z.record(z.string(), z.string()), 'extra_headers', row.extraHeaders, {}),
    policy: read(Policy, 'policy', row.policy, DEFAULT_POLICY),
    schema: read(z.json(), 'schema', row.schema, null),
    damaged: damaged.length > 0,
  };
}

const NOT_JSON = Symbol('not JSON');

function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON; // no schema accepts it
  }
}

export type AuthState = 'ok' | 'missing' | 'needs_new_header';

/** @param opens Tells whether the stored credential opens; asked only where there is one. */
export function authStateOf(row: ApiRow, details: ApiDetails, opens: () => boolean): AuthState {
  if (row.credential !== null) return !details.damaged && opens() ? 'ok' : 'needs_new_header';
  return takesNoKey(details.provider) ? 'ok' : 'missing';
}

/** Ollama and its like want no credential, so none is missing. */
const takesNoKey = (provider: ProviderId | null): boolean =>
  provider !== null && PROVIDERS[provider].authHeader === null;
