import { readFileSync } from 'node:fs';

/** One row of `ssrf-cases.json`, as far as these tests read it. */
export interface EgressCase {
  case: string;
  stage: 'register' | 'forward' | 'connect' | 'redirect';
  base_url: string;
  path: string;
  resolves_to?: string[];
  expect: 'allow' | 'deny';
  expect_with_port_list?: 'allow' | 'deny';
  wire_host?: string;
  wire_path?: string;
  whatwg: { hostname?: string; port?: string | null; error?: true; varies?: string };
}

export const readVector = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8'));

export const egressCases = readVector('ssrf-cases.json') as EgressCase[];
