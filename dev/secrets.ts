import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How each secret of a development mesh is made. In production they come from scripts/generate-secrets.sh. */
const MAKERS = {
  ZEQ_FIELD_KEY: () => randomBytes(32).toString('hex'),
  ZEQ_INTERNAL_SECRET: () => randomBytes(32).toString('hex'),
  JWT_SECRET: () => randomBytes(48).toString('base64'),
  ZEQ_API_KEYS: () => randomBytes(32).toString('hex'),
  ZEQ_ADMIN_KEYS: () => randomBytes(32).toString('hex'),
  ZEQ_HITE_SECRET: () => randomBytes(32).toString('hex'),
  ZEQ_SYNC_SECRET: () => randomBytes(32).toString('hex'),
  /** The key that the sample upstream asks for. */
  SAMPLE_KEY: () => `sk-sample-${randomBytes(24).toString('base64url')}`,
};

export type DevSecrets = Record<keyof typeof MAKERS, string>;

/**
 * The secrets of the development mesh in `dataDir`: made once, kept in `secrets.json` (mode 0600). What the environment
 * already gives, as NAME or NAME_FILE, goes before them.
 */
export function loadDevSecrets(dataDir: string, env: NodeJS.ProcessEnv): DevSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'secrets.json');
  const kept: Partial<DevSecrets> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const names = Object.keys(MAKERS) as (keyof DevSecrets)[];
  const all = Object.fromEntries(names.map((name) => [name, kept[name] ?? MAKERS[name]()])) as DevSecrets;
  if (names.some((name) => kept[name] === undefined))
    writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  return Object.fromEntries(
    names.map((name) => [name, fromEnvironment(name, env) ?? all[name]]),
  ) as DevSecrets;
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const file = env[`${name}_FILE`];
  return (file ? readFileSync(file, 'utf8').trimEnd() : env[name]) || undefined;
}
