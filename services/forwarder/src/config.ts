import { isIP } from 'node:net';
import { type EgressAllow, parseEgressAllow, parseIp } from '@zeq/egress';
import { commaList, commonEnv, parseEnv, port, redisUrl, serviceUrl, sharedSecret } from '@zeq/service-kit';
import { z } from 'zod';

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

const addresses = commaList
  .refine((list) => list.every((entry) => parseIp(entry) !== undefined), 'must be a comma list of addresses')
  .default([]);

const dnsServers = commaList
  .refine(
    (list) => list.every(isDnsServer),
    'must be a comma list of addresses, each with or without a port, for example 9.9.9.9,[2620:fe::fe]:53',
  )
  .default([]);

const ports = commaList
  .refine(
    (list) =>
      list.every((entry) => /^[0-9]{1,5}$/.test(entry) && Number(entry) >= 1 && Number(entry) <= 65535),
    'must be a comma list of ports',
  )
  .transform((list) => list.map(Number))
  .optional();

export const Env = z.object({
  ...commonEnv,
  ZEQ_INTERNAL_SECRET_PREV: sharedSecret.optional(), // accepted as well while the secret is being changed
  FORWARDER_PORT: port(4003),
  FORWARDER_SOCKET: z.string().startsWith('/', 'must be an absolute path').optional(),
  VAULT_URL: serviceUrl('http://127.0.0.1:4002'),
  ZEQ_DATA_DIR: z.string().default('.zeq'), // calls that were not yet reported to the vault
  DOMAIN: z.string().optional().transform(hostOfDomain),
  ZEQ_EGRESS_ALLOW: egressAllow,
  ZEQ_EGRESS_PORTS: ports,
  ZEQ_OWN_ADDRESSES: addresses,
  ZEQ_DNS_SERVERS: dnsServers,
  REDIS_URL: redisUrl.optional(), // shared minute limits; without it each replica counts for itself
  ZEQ_MAX_CALLS: z.coerce
    .number('must be a whole number of calls')
    .int('must be a whole number of calls')
    .min(1, 'must be at least 1')
    .default(10_000),
});

export type Config = z.infer<typeof Env>;

/** @throws ConfigError naming everything that is wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('forwarder', Env, env);

const DNS_SERVER = /^(?:\[([0-9a-fA-F:]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/;

function isDnsServer(entry: string): boolean {
  const [, v6, v4, portText] = DNS_SERVER.exec(entry) ?? [];
  const known = v6 !== undefined ? isIP(v6) === 6 : v4 !== undefined ? isIP(v4) === 4 : isIP(entry) !== 0;
  return known && (portText === undefined || (Number(portText) >= 1 && Number(portText) <= 65535));
}

/** DOMAIN is written with or without its scheme; what counts is the host. */
function hostOfDomain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = /^https?:\/\//.test(text) ? text : `https://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
