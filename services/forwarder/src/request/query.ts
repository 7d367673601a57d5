/** Tokens of the mesh in a query; a caller may have put one into the parameter that the credential replaces. */
const MESH_TOKEN = /z(?:sm|at)_[A-Za-z0-9_-]{16}/;

/**
 * The path as it goes upstream: parameters that carry a token of the mesh are taken out, and every spelling of the
 * credential's own parameter. Everything else stays byte for byte.
 *
 * @param credentialName The parameter that the stored credential fills, or undefined.
 */
export function withoutOwnParameters(path: string, credentialName: string | undefined): string {
  const queryAt = path.indexOf('?');
  if (queryAt === -1) return path;
  const query = path.slice(queryAt + 1);
  if (credentialName === undefined && !MESH_TOKEN.test(query)) return path;
  const wanted = credentialName === undefined ? undefined : looseName(credentialName);
  const kept = query.split('&').filter((pair) => {
    const name = pair.split('=', 1)[0]!;
    return (wanted === undefined || looseName(name) !== wanted) && !MESH_TOKEN.test(pair);
  });
  return kept.length === 0 ? path.slice(0, queryAt) : `${path.slice(0, queryAt)}?${kept.join('&')}`;
}

/** Appends the credential, percent-encoded. */
export function withCredentialParameter(path: string, name: string, value: string): string {
  const joint = path.includes('?') ? '&' : '?';
  return `${path}${joint}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

/** Upstreams differ in how they fold names, so every spelling that any of them might take for the credential's is one. */
function looseName(name: string): string {
  const decoded = name
    .replaceAll('+', ' ')
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decoded.toLowerCase().replaceAll('_', '-').trim();
}
