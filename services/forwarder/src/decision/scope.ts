import type { AppCaller } from '@zeq/contracts';
import { decodedForms } from '@zeq/egress';

/** Which part of a scope a call is outside of. */
export type ScopeRefusal = 'api' | 'method' | 'path';

/** @returns Why an app token does not cover a call, or undefined when it does. */
export function refuseScope(
  caller: AppCaller,
  apiId: string,
  method: string,
  rest: string,
): ScopeRefusal | undefined {
  if (!caller.api_ids.includes(apiId)) return 'api';
  if (!allowsMethod(caller.allowed_methods, method)) return 'method';
  return allowsPath(caller.allowed_path_prefixes, rest) ? undefined : 'path';
}

/** null allows any; HEAD is a GET without its body. */
export function allowsMethod(allowed: readonly string[] | null, method: string): boolean {
  if (allowed === null || allowed.includes(method)) return true;
  return method === 'HEAD' && allowed.includes('GET');
}

/**
 * Whether a path lies under one of the prefixes, in whole segments, as it stands and however often it is decoded: an upstream
 * that decodes once more than we do must not see another path. Dot segments were refused before.
 *
 * @param rest Path and query behind `/forward`.
 */
export function allowsPath(prefixes: readonly string[] | null, rest: string): boolean {
  if (prefixes === null) return true;
  const forms = decodedForms(rest.split('?', 1)[0]!);
  return prefixes.some((prefix) => forms.every((form) => isUnder(form, prefix)));
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/';
}
