import { BlockList } from 'node:net';
import { hiteSecretRefusal } from '@zeq/crypto';
import { commaList, commonEnv, parseEnv, port, redisUrl, serviceUrl, sharedSecret } from '@zeq/service-kit';
import { z } from 'zod';

const MIN_KEY_CHARS = 16;
const UNIX = /^unix:(\/.+)$/;

/** Keys of the platform: a list, so that one can be changed without a gap. */
const keyList = z
  .string('is missing; make one: openssl rand -hex 32')
  .pipe(commaList)
  .refine((keys) => keys.length > 0, 'is empty; make one: openssl rand -hex 32')
  .refine(
    (keys) => keys.every((key) => key.length >= MIN_KEY_CHARS && /^[\x21-\x7e]+$/.test(key)),
    `must be a comma list of keys of at least ${MIN_KEY_CHARS} printable characters; make one: openssl rand -hex 32`,
  )
  .refine((keys) => new Set(keys).size === keys.length, 'holds one key twice');

const origins = commaList
  .refine(
    (list) => list.every((origin) => origin === '*' || isOrigin(origin)),
    'must be a comma list of origins, for example https://zeq.example.com (no path, no trailing slash)',
  )
  .default([]);

const proxies = commaList
  .refine((list) => {
    try {
      trustList(list);
      return true;
    } catch {
      return false;
    }
  }, 'must be a comma list of addresses or CIDR blocks, for example 172.16.0.0/12')
  .default([]);

/** The forwarder also listens on a socket file where both run on one machine: a hop over it costs less. */
const forwarderUrl = z.union(
  [
    z.string().regex(UNIX, 'must be an http:// address or unix:/path/of.sock'),
    serviceUrl('http://127.0.0.1:4003'),
  ],
  {
    error: 'must be an http:// address or unix:/path/of.sock',
  },
);

const hiteSecret = z.string().superRefine((secret, context) => {
  const message = hiteSecretRefusal(secret);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

export const Env = z
  .object({
    ...commonEnv,
    GATEWAY_PORT: port(4000),
    VAULT_URL: serviceUrl('http://127.0.0.1:4002'),
    FORWARDER_URL: forwarderUrl,
    OPERATOR_URL: serviceUrl('http://127.0.0.1:8080'),
    SYNC_URL: serviceUrl('http://127.0.0.1:4001'),
    ZEQOND_URL: serviceUrl('http://127.0.0.1:2871'),
    JWT_SECRET: sharedSecret,
    JWT_SECRET_PREV: sharedSecret.optional(),
    ZEQ_HITE_SECRET: hiteSecret.optional(), // without it the HITE channel is off
    ZEQ_API_KEYS: keyList,
    ZEQ_ADMIN_KEYS: keyList,
    ALLOWED_ORIGINS: origins,
    RATE_LIMIT_RPM: z.coerce
      .number('must be a whole number of requests per minute')
      .int('must be a whole number of requests per minute')
      .min(1, 'must be at least 1')
      .max(1_000_000_000, 'must be at most 1000000000')
      .default(100),
    REDIS_URL: redisUrl.optional(), // addresses are counted over all replicas; without it by each one
    ZEQ_TRUSTED_PROXIES: proxies,
    ZEQ_TRACE_UPSTREAM: z.enum(['on', 'off'], 'must be on or off').default('on'),
    DOMAIN: z.string().optional().transform(hostOfDomain),
  })
  .superRefine((env, context) => {
    const refuse = (name: string, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (env.NODE_ENV === 'production' && env.ALLOWED_ORIGINS.includes('*'))
      refuse('ALLOWED_ORIGINS', 'must not hold * in production; name the origins');
    if (env.JWT_SECRET === env.ZEQ_INTERNAL_SECRET)
      refuse('JWT_SECRET', 'must not equal ZEQ_INTERNAL_SECRET; make one: openssl rand -hex 32');
    if (env.JWT_SECRET === env.JWT_SECRET_PREV)
      refuse('JWT_SECRET_PREV', 'must not equal JWT_SECRET; leave it unset outside a change');
    if (env.ZEQ_API_KEYS.some((key) => env.ZEQ_ADMIN_KEYS.includes(key)))
      refuse('ZEQ_ADMIN_KEYS', 'must share no key with ZEQ_API_KEYS');
  });

export type Config = z.infer<typeof Env>;

/** @throws ConfigError naming everything that is wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('gateway', Env, env);

/** Where undici, or a plain socket, finds a service: a host and port, or a socket file. */
export interface Place {
  origin: string;
  socketPath?: string;
}

export function placeOf(url: string): Place {
  const socketPath = UNIX.exec(url)?.[1];
  return socketPath === undefined
    ? { origin: new URL(url).origin }
    : { origin: 'http://localhost', socketPath };
}

/** @throws when an entry is neither an address nor a CIDR block. */
export function trustList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else if (/^\d{1,3}$/.test(bits)) list.addSubnet(address, Number(bits), family);
    else throw new RangeError('not a prefix length');
  }
  return list;
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** DOMAIN is written with or without its scheme; what counts is the host. */
function hostOfDomain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = /^https?:\/\//.test(text) ? text : `https://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
