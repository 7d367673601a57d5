import { type HostRule, parseHost } from './host.ts';
import { type PathRule, refusePath } from './path.ts';
import { POLICY } from './policy.ts';
import { type AddressRefusal, type EgressRules, refuseAddress } from './rules.ts';

/** A base URL that may be called. */
export interface BaseUrl {
  scheme: 'https' | 'http';
  /** Lower case, ASCII, an IPv6 address without its brackets. */
  host: string;
  port: number;
  /** The host is an address, so no name has to be resolved. */
  isAddress: boolean;
  /** What goes into `Host`: brackets around IPv6, the port where it is not the scheme's own. */
  authority: string;
  /** `scheme://authority`. */
  origin: string;
  /** Empty, or beginning with a slash and not ending in one. */
  basePath: string;
}

export type UrlRule =
  | 'length'
  | 'control-or-space'
  | 'backslash'
  | 'shape'
  | 'scheme'
  | 'userinfo'
  | 'query'
  | 'fragment'
  | 'port'
  | 'single-label'
  | 'suffix'
  | 'own-host'
  | HostRule
  | PathRule
  | AddressRefusal['rule'];

export type ParsedBaseUrl = { ok: true; url: BaseUrl } | { ok: false; rule: UrlRule };

const SHAPE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/;
const CONTROL_OR_SPACE = /[\p{Cc}\p{Z}]/u;

/**
 * Parses and judges a base URL: at registration, and again at every call, because the rules may have changed since. Nothing is
 * repaired on the way; what a person reviewing the text might read differently from a parser is refused.
 */
export function parseBaseUrl(text: string, rules: EgressRules): ParsedBaseUrl {
  if (text.length > POLICY.maxUrlLength) return refused('length');
  if (CONTROL_OR_SPACE.test(text)) return refused('control-or-space');
  if (text.includes('\\')) return refused('backslash');
  const [, scheme = '', authority = '', path = '', query, fragment] = SHAPE.exec(text) ?? [];
  if (authority === '') return refused('shape');
  const lowerScheme = scheme.toLowerCase();
  if (lowerScheme !== 'https' && lowerScheme !== 'http') return refused('scheme');
  if (authority.includes('@')) return refused('userinfo');
  if (query !== undefined) return refused('query');
  if (fragment !== undefined) return refused('fragment');
  const url = parseAuthority(lowerScheme, authority);
  if (!url.ok) return url;
  const basePath = path.replace(/\/$/, '');
  const rule = refuseTarget(url.url, rules) ?? (basePath === '' ? undefined : refusePath(basePath));
  return rule === undefined ? { ok: true, url: { ...url.url, basePath } } : refused(rule);
}

const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{0,5}))?$/;

function parseAuthority(scheme: BaseUrl['scheme'], authority: string): ParsedBaseUrl {
  const match = AUTHORITY.exec(authority);
  if (match === null) return refused('shape');
  const parsed = parseHost(match[1]!);
  if (!parsed.ok) return parsed;
  const { host, isAddress } = parsed;
  const ownPort = scheme === 'https' ? 443 : 80;
  const port = match[2] ? Number(match[2]) : ownPort;
  const shown = host.includes(':') ? `[${host}]` : host;
  const wire = port === ownPort ? shown : `${shown}:${port}`;
  return {
    ok: true,
    url: { scheme, host, port, isAddress, authority: wire, origin: `${scheme}://${wire}`, basePath: '' },
  };
}

function refuseTarget(url: BaseUrl, rules: EgressRules): UrlRule | undefined {
  const { host, port } = url;
  const named = url.isAddress ? rules.allow.namesAddress(host, port) : rules.allow.namesHost(host, port);
  if (url.scheme === 'http' && !named) return 'scheme';
  if (!isPortOpen(host, port, rules)) return 'port';
  if (url.isAddress) return refuseAddress(host, url, rules)?.rule;
  return named ? undefined : refuseName(host, rules);
}

function isPortOpen(host: string, port: number, rules: EgressRules): boolean {
  if (port < 1 || port > 65535) return false;
  if (rules.allow.namesPort(host, port)) return true;
  if (rules.ports !== undefined) return rules.ports.includes(port);
  return !DENIED_PORTS.has(port);
}

const DENIED_PORTS: ReadonlySet<number> = new Set(POLICY.deniedPorts);

function refuseName(host: string, rules: EgressRules): UrlRule | undefined {
  if (rules.ownHosts.includes(host)) return 'own-host';
  if (!host.includes('.')) return 'single-label';
  return POLICY.deniedSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))
    ? 'suffix'
    : undefined;
}

const refused = (rule: UrlRule): { ok: false; rule: UrlRule } => ({ ok: false, rule });
