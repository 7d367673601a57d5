import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

const FOLDER = new URL('./vectors/', import.meta.url);

/** One group of a Wycheproof file with its tests, as the file has them. */
export interface Group<T, G> {
  group: G;
  test: T;
}

/** Every test of a Wycheproof file, beside the group it stands in. */
export function wycheproof<T, G>(file: string): Group<T, G>[] {
  const parsed = readJson<{ testGroups: (G & { tests: T[] })[] }>(`wycheproof/${file}`);
  return parsed.testGroups.flatMap((group) => group.tests.map((test) => ({ group, test })));
}

export const readJson = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as T;

/** The records of a NIST CAVP response file: `Name = hex` lines, and a bare FAIL where decryption must fail. */
export function cavp(file: string): Record<string, string>[] {
  return readFileSync(new URL(`nist-cavp/${file}`, FOLDER), 'utf8')
    .split(/\r?\n\r?\n/)
    .filter((record) => record.startsWith('Count'))
    .map((record) => Object.fromEntries(record.split(/\r?\n/).map(toMember)));
}

function toMember(line: string): [string, string] {
  const [name = '', value = ''] = line.split('=').map((part) => part.trim());
  return [name, value];
}

export const bytes = (hex: string | undefined): Buffer => Buffer.from(hex ?? '', 'hex');
export const secret = (hex: string | undefined): KeyObject => createSecretKey(bytes(hex));
