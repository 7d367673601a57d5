import type { DraftApiInput, ProviderId } from '@zeq/contracts';
import { presetOf } from '../providers.ts';

/** What the form holds, as it was typed. */
export interface Form {
  provider: ProviderId | 'custom';
  name: string;
  baseUrl: string;
  /** Where a custom credential travels. */
  place: 'header' | 'query' | 'basic';
  /** Of the header or query parameter. */
  placeName: string;
  username: string;
  secret: string;
  ratePerMinute: string;
  /** `Name: value` lines. */
  extraHeaders: string;
}

export const EMPTY: Form = {
  provider: 'openai',
  name: 'openai',
  baseUrl: 'https://api.openai.com',
  place: 'header',
  placeName: 'Authorization',
  username: '',
  secret: '',
  ratePerMinute: '60',
  extraHeaders: '',
};

export type Faults = Partial<Record<keyof Form, string>>;

/** Another provider brings its own address and, as long as nobody chose another, its own name. */
export function withProvider(form: Form, provider: Form['provider']): Form {
  const suggested = [form.provider, ''].includes(form.name);
  const preset = provider === 'custom' ? undefined : presetOf(provider);
  return {
    ...form,
    provider,
    name: suggested ? (provider === 'custom' ? '' : provider) : form.name,
    baseUrl: preset?.baseUrl ?? '',
    place: 'header',
    placeName: 'Authorization',
    secret: '',
  };
}

/** Whether this provider takes a credential at all. */
export const takesCredential = ({ provider }: Pick<Form, 'provider'>): boolean =>
  provider === 'custom' || presetOf(provider)?.authHeader !== null;

/** What is missing or cannot be right; the mesh has the last word. */
export function faultsOf(form: Form): Faults {
  const faults: Faults = {};
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(form.name))
    faults.name = '1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.';
  if (!URL.canParse(form.baseUrl.trim()))
    faults.baseUrl = 'A whole address, for example https://api.example.com';
  if (takesCredential(form) && form.secret.trim() === '') faults.secret = 'Paste the credential.';
  if (form.provider === 'custom' && form.place !== 'basic' && form.placeName.trim() === '')
    faults.placeName = 'The name is missing.';
  if (!/^[1-9]\d{0,6}$/.test(form.ratePerMinute.trim())) faults.ratePerMinute = 'A whole number from 1.';
  if (parseHeaderLines(form.extraHeaders) === undefined)
    faults.extraHeaders = 'One `Name: value` on each line.';
  return faults;
}

/** The registration that a form without faults stands for. */
export function toRegistration(form: Form): DraftApiInput & { name: string } {
  const extraHeaders = parseHeaderLines(form.extraHeaders) ?? {};
  const preset = form.provider === 'custom' ? undefined : presetOf(form.provider);
  const baseUrl = form.baseUrl.trim();
  return {
    name: form.name,
    ...(form.provider !== 'custom' && { provider: form.provider }),
    ...(baseUrl !== preset?.baseUrl && { base_url: baseUrl }),
    rate_limit_per_min: Number(form.ratePerMinute),
    ...(Object.keys(extraHeaders).length > 0 && { extra_headers: extraHeaders }),
    ...(takesCredential(form) && credentialOf(form)),
  };
}

type CredentialFields = Pick<DraftApiInput, 'api_key' | 'auth_header' | 'auth'>;

/** A credential as the API takes it. A whole header line may be pasted as well: it says its own name. */
export function credentialOf({ provider, place, placeName, username, secret }: Form): CredentialFields {
  const value = secret.trim();
  if (provider !== 'custom') return { api_key: value };
  if (place === 'query') return { auth: { type: 'query', name: placeName.trim(), value } };
  if (place === 'basic') return { auth: { type: 'basic', username, password: value } };
  return { auth_header: isHeaderLine(value) ? value : `${placeName.trim()}: ${value}` };
}

/** `Authorization: Bearer …`, as documentation prints it. */
export const isHeaderLine = (text: string): boolean => /^[A-Za-z][A-Za-z0-9-]{1,63}: *\S/.test(text);

/** @returns undefined when a line is not `Name: value`. */
export function parseHeaderLines(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [, name, value] = /^([^:\s]+):\s*(.*?)\s*$/.exec(line.trim()) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers[name] = value;
  }
  return headers;
}
