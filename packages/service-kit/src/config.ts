import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A start that cannot happen. Its message lists every problem at once, by name and without values. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Reads one service's environment into one typed value. Each variable may instead be given as `NAME_FILE`, the path of a file
 * that holds it (a trailing newline is dropped). Empty strings count as unset: compose passes an unset variable as ''.
 *
 * @throws ConfigError naming every variable that is wrong and how to put it right.
 */
export function parseEnv<T extends z.ZodObject>(
  service: string,
  schema: T,
  env: NodeJS.ProcessEnv,
): z.infer<T> {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    try {
      const value = readVariable(name, env);
      if (value !== undefined) values[name] = value;
    } catch (err) {
      problems.push(`${name}_FILE ${(err as Error).message}`);
    }
  }
  const unreadable = new Set(problems.map((line) => line.slice(0, line.indexOf('_FILE '))));
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      if (!unreadable.has(String(issue.path[0])))
        problems.push(`${issue.path.join('.')} ${issue.message}`.trim());
    }
  }
  if (problems.length > 0) throw new ConfigError(explain(service, problems));
  return parsed.data as z.infer<T>;
}

function readVariable(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const direct = env[name];
  const file = env[`${name}_FILE`];
  if (!file) return direct === '' ? undefined : direct;
  if (direct) throw new Error(`and ${name} are both set; keep one`);
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? undefined : text;
  } catch {
    throw new Error('names a file that cannot be read');
  }
}

const explain = (service: string, problems: string[]) =>
  `${service} cannot start. Fix these settings:\n${[...new Set(problems)].map((line) => `  ${line}`).join('\n')}`;

/** A TCP port. */
export const port = (fallback: number) =>
  z.coerce
    .number('must be a port, 1 to 65535')
    .int()
    .min(1, 'must be a port, 1 to 65535')
    .max(65535, 'must be a port, 1 to 65535')
    .default(fallback);

/** A comma list; blanks around entries and empty entries are dropped. */
export const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** A shared secret of at least 32 bytes of text; it signs tokens, so it is never optional and has no default. */
export const sharedSecret = z
  .string('is missing; make one: openssl rand -hex 32')
  .min(32, 'must be at least 32 characters; make one: openssl rand -hex 32');

/** An http base address of another of our services. */
export const serviceUrl = (fallback: string) =>
  z
    .url({ protocol: /^https?$/, error: `must be an http:// or https:// address, for example ${fallback}` })
    .transform((url) => url.replace(/\/+$/, ''))
    .default(fallback);

/** Redis, with its password: `redis://:secret@redis:6379/0`. */
export const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a redis:// address' });

export const logLevel = z
  .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  .default('info');

/** The variables that every service reads. */
export const commonEnv = {
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  LOG_LEVEL: logLevel,
  ZEQ_BIND: z.string().default('127.0.0.1'),
  ZEQ_INTERNAL_SECRET: sharedSecret,
};
