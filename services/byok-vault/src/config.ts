import { parseMasterKey } from '@zeq/crypto';
import { type EgressAllow, parseEgressAllow, parseIp } from '@zeq/egress';
import { commaList, commonEnv, parseEnv, port, sharedSecret } from '@zeq/service-kit';
import { z } from 'zod';
import { MIN_SECRET_CHARS } from './credentials/secret-strength.ts';

const MAKE_ONE = 'make one: openssl rand -hex 32';

/** The live master key: every known way of not being random is refused. */
const masterKey = z.string(`is missing; ${MAKE_ONE}`).superRefine((text, context) => {
  const parsed = parseMasterKey(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.message });
});

/** The previous one may be weak: to get away from a weak key is what rotation is for. */
const previousKey = z.string().regex(/^\s*[0-9a-fA-F]{64}\s*$/, 'must be 32 bytes as 64 hex digits');

const egressAllow = z
  .string()
  .default('')
  .transform((text, context): EgressAllow => {
    try {
      return parseEgressAllow(text);
    } catch (err) {
      context.addIssue({ code: 'custom', message: (err as Error).message });
      return z.NEVER;
    }
  });

const ownAddresses = commaList
  .refine((list) => list.every((entry) => parseIp(entry) !== undefined), 'must be a comma list of addresses')
  .default([]);

const egressPorts = commaList
  .transform((list) => list.map(Number))
  .refine(
    (list) => list.every((entry) => Number.isInteger(entry) && entry >= 1 && entry <= 65535),
    'must be a comma list of ports',
  )
  .optional();

const providerKey = z
  .string()
  .min(MIN_SECRET_CHARS, `is shorter than ${MIN_SECRET_CHARS} characters, so it is no provider key`)
  .regex(/^[\x21-\x7e]+$/, 'holds characters that no provider key has')
  .max(3500, 'is too long for a provider key')
  .optional();

const WHOLE_DAYS = 'must be a whole number of days, from 1 to 3650';
const keptDays = (days: number) =>
  z.coerce.number(WHOLE_DAYS).int(WHOLE_DAYS).min(1, WHOLE_DAYS).max(3650, WHOLE_DAYS).default(days);

export const Env = z
  .object({
    ...commonEnv,
    ZEQ_INTERNAL_SECRET_PREV: sharedSecret.optional(), // accepted as well while the secret is being changed
    JWT_SECRET: z.string().optional(), // only to make sure that it is not the master key
    VAULT_PORT: port(4002),
    ZEQ_DATA_DIR: z.string().default('.zeq'),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
    ZEQ_FIELD_KEY: masterKey,
    ZEQ_FIELD_KEY_PREV: previousKey.optional(), // set only while rotating
    DOMAIN: z.string().optional().transform(hostOfDomain),
    ZEQ_EGRESS_ALLOW: egressAllow,
    ZEQ_EGRESS_PORTS: egressPorts,
    ZEQ_OWN_ADDRESSES: ownAddresses,
    ZEQ_USAGE_MINUTE_DAYS: keptDays(2),
    ZEQ_USAGE_HOUR_DAYS: keptDays(62),
    ZEQ_USAGE_DAY_DAYS: keptDays(730),
    ZEQ_AUDIT_DAYS: keptDays(90),
    OPENAI_API_KEY: providerKey,
    DEEPSEEK_API_KEY: providerKey,
    FIREWORKS_API_KEY: providerKey,
  })
  .refine(...differentFrom('ZEQ_FIELD_KEY_PREV'))
  .refine(...differentFrom('JWT_SECRET'))
  .refine(...differentFrom('ZEQ_INTERNAL_SECRET'))
  .refine(...differentFrom('ZEQ_INTERNAL_SECRET_PREV'));

export type Config = z.infer<typeof Env>;

/** @throws ConfigError naming everything that is wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('byok-vault', Env, env);

/** A key does one job. Asked even when other settings are wrong, so that everything is said at once. */
function differentFrom(other: string) {
  const differs = (values: Record<string, unknown>) =>
    normal(values.ZEQ_FIELD_KEY) === undefined || normal(values.ZEQ_FIELD_KEY) !== normal(values[other]);
  const message = `must not be the same as ${other}; ${MAKE_ONE}`;
  const options = { path: ['ZEQ_FIELD_KEY'], message, when: () => true };
  return [differs, options] as const;
}

const normal = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.trim().toLowerCase() : undefined;

/** DOMAIN is written with or without its scheme; what counts is the host. */
function hostOfDomain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = /^https?:\/\//.test(text) ? text : `https://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
