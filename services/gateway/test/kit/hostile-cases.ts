import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome, Part } from './raw-http.ts';
import type { Seen } from './stub-service.ts';

export interface HostileCase {
  id: string;
  category: string;
  target: 'nginx' | 'gateway' | 'any';
  raw?: string;
  generator?: { parts?: Part[]; note?: string };
  expect: {
    status?: string;
    close?: boolean;
    max_requests?: number;
    must_not_reach?: string;
    must_not_status?: string;
    same_body?: string;
    upstream_must_not_have?: string[];
    responses?: number;
  };
}

const FILE = fileURLToPath(new URL('../vectors/http-hostile.json', import.meta.url));

/** The cases that a gateway reached directly has to pass. */
export const hostileCases = (): HostileCase[] =>
  (JSON.parse(readFileSync(FILE, 'utf8')) as HostileCase[]).filter(({ target }) => target !== 'nginx');

/** What a case says, with its placeholders filled in and its test routes put on routes that exist. */
export function partsOf(
  { raw, generator }: HostileCase,
  fill: Record<string, string>,
  routes: Record<string, string>,
): Part[] {
  const parts: Part[] = raw === undefined ? (generator?.parts ?? []) : [{ text: raw }];
  return parts.map((part) => {
    if ('text' in part) return { ...part, text: replaceAll(part.text, fill, routes) };
    return 'drip' in part ? { drip: { ...part.drip, text: replaceAll(part.drip.text, fill, routes) } } : part;
  });
}

function replaceAll(text: string, fill: Record<string, string>, routes: Record<string, string>): string {
  const filled = text.replace(/\{\{(\w+)\}\}/g, (all, name: string) => fill[name] ?? all);
  // Only in a request line: a target stands between a method and a version, or at the line's end.
  return filled.replace(
    /(^|[\r\n]|G)([A-Z]+[ \t]+)(\/\w+)(?=[ \t\r\n])/g,
    (all, before: string, method: string, path: string) => {
      const route = routes[path];
      return route === undefined ? all : before + method + route;
    },
  );
}

/** What is wrong with an outcome; empty when the case passes. */
export function violations(
  { expect }: HostileCase,
  outcome: Outcome,
  seen: readonly Pick<Seen, 'url' | 'rawHeaders' | 'body'>[],
): string[] {
  const wrong: string[] = [];
  const { status, close, max_requests, must_not_reach, must_not_status, same_body } = expect;
  if (status !== undefined && !status.split('|').some((wanted) => matches(wanted, outcome)))
    wrong.push(`status ${outcome.status} (${outcome.statuses}), expected ${status}`);
  if (close === true && !outcome.closed) wrong.push('the connection stays open');
  if (max_requests !== undefined && seen.length > max_requests)
    wrong.push(`${seen.length} requests reached a service, at most ${max_requests} may`);
  if (must_not_reach !== undefined && seen.some(({ url }) => url.includes('__smuggled')))
    wrong.push('the smuggled request reached a service');
  if (must_not_status !== undefined && outcome.statuses.includes(Number(must_not_status)))
    wrong.push(`answered ${must_not_status}`);
  if (same_body !== undefined && seen.some(({ body }) => body !== same_body))
    wrong.push('another body arrived');
  for (const text of expect.upstream_must_not_have ?? [])
    if (seen.some(({ rawHeaders }) => headText(rawHeaders).includes(text))) wrong.push(`${text} went on`);
  if (outcome.statuses.some((code) => code >= 500 && code !== 501 && code !== 505)) wrong.push('a 5xx');
  return wrong;
}

function matches(wanted: string, { status, statuses }: Outcome): boolean {
  if (/^[1-5]xx$/.test(wanted)) return status[0] === wanted[0] && status.length === 3;
  return wanted === status || (wanted === '100' && statuses.includes(100));
}

function headText(raw: readonly string[]): string {
  let text = '';
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\n`;
  return text.toLowerCase();
}
