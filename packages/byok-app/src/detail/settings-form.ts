import type { ApiView, PatchApi, Policy } from '@zeq/contracts';
import { parseHeaderLines } from '../add/registration.ts';

/** The settings of an API as text in fields. */
export interface SettingsForm {
  name: string;
  baseUrl: string;
  ratePerMinute: string;
  concurrency: string;
  maxBodyMib: string;
  connectSeconds: string;
  firstByteSeconds: string;
  idleSeconds: string;
  methods: string;
  paths: string;
  extraHeaders: string;
}

const MIB = 2 ** 20;

export const formOf = ({
  name,
  base_url,
  rate_limit_per_min,
  policy,
  extra_headers,
}: ApiView): SettingsForm => ({
  name,
  baseUrl: base_url,
  ratePerMinute: String(rate_limit_per_min),
  concurrency: String(policy.concurrency),
  maxBodyMib: String(policy.max_body_bytes / MIB),
  connectSeconds: String(policy.connect_timeout_ms / 1000),
  firstByteSeconds: String(policy.first_byte_timeout_ms / 1000),
  idleSeconds: String(policy.idle_timeout_ms / 1000),
  methods: (policy.allowed_methods ?? []).join(', '),
  paths: (policy.allowed_path_prefixes ?? []).join('\n'),
  extraHeaders: Object.entries(extra_headers)
    .map(([header, value]) => `${header}: ${value}`)
    .join('\n'),
});

/** What cannot be right; the mesh has the last word. */
export function settingsFaults(form: SettingsForm): Partial<Record<keyof SettingsForm, string>> {
  const faults: Partial<Record<keyof SettingsForm, string>> = {};
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(form.name)) faults.name = '1 to 63 of a-z, 0-9, ".", "_" and "-".';
  if (!URL.canParse(form.baseUrl.trim())) faults.baseUrl = 'A whole address is needed.';
  for (const name of ['ratePerMinute', 'concurrency'] as const)
    if (!/^[1-9]\d{0,6}$/.test(form[name].trim())) faults[name] = 'A whole number from 1.';
  for (const name of ['maxBodyMib', 'connectSeconds', 'firstByteSeconds', 'idleSeconds'] as const)
    if (!/^\d+(\.\d+)?$/.test(form[name].trim())) faults[name] = 'A number is needed.';
  if (splitList(form.paths).some((path) => !path.startsWith('/'))) faults.paths = 'Each begins with a slash.';
  if (parseHeaderLines(form.extraHeaders) === undefined)
    faults.extraHeaders = 'One `Name: value` on each line.';
  return faults;
}

/** Only what differs from the API as it stands: what somebody else changed meanwhile is not set back. */
export function toPatch(form: SettingsForm, api: ApiView): PatchApi {
  const wanted: PatchApi = {
    name: form.name,
    base_url: form.baseUrl.trim(),
    rate_limit_per_min: Number(form.ratePerMinute),
    extra_headers: parseHeaderLines(form.extraHeaders) ?? api.extra_headers,
  };
  const patch = differing(wanted, api as Record<string, unknown>);
  const policy = differing(policyOf(form, api.policy), api.policy);
  return Object.keys(policy).length === 0 ? patch : { ...patch, policy };
}

function policyOf(form: SettingsForm, now: Policy): Partial<Policy> {
  const methods = splitList(form.methods).map((method) => method.toUpperCase());
  const paths = splitList(form.paths);
  // a size that was shown rounded must not be sent back rounded
  const bytes = Number(form.maxBodyMib) * MIB;
  return {
    concurrency: Number(form.concurrency),
    max_body_bytes:
      form.maxBodyMib === String(now.max_body_bytes / MIB) ? now.max_body_bytes : Math.round(bytes),
    connect_timeout_ms: Math.round(Number(form.connectSeconds) * 1000),
    first_byte_timeout_ms: Math.round(Number(form.firstByteSeconds) * 1000),
    idle_timeout_ms: Math.round(Number(form.idleSeconds) * 1000),
    allowed_methods: methods.length === 0 ? null : methods,
    allowed_path_prefixes: paths.length === 0 ? null : paths,
  };
}

const splitList = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

function differing<T extends object>(wanted: T, now: object): Partial<T> {
  const known = now as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(known[key])),
  ) as Partial<T>;
}
