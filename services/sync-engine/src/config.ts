import { commonEnv, parseEnv, port, serviceUrl, sharedSecret } from '@zeq/service-kit';
import { z } from 'zod';

export const Env = z.object({
  ...commonEnv,
  SYNC_PORT: port(4001),
  VAULT_URL: serviceUrl('http://127.0.0.1:4002'), // whose audit log the ticks bind
  ZEQ_INTERNAL_SECRET_PREV: sharedSecret.optional(), // set only while it is being changed
  ZEQ_DATA_DIR: z.string().default('.zeq'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  ZEQ_SYNC_SECRET: sharedSecret.optional(), // without it: ticks, but nothing attested and no TESC
  ZEQ_SYNC_SECRET_PREV: sharedSecret.optional(), // set only while it is being changed
  ZEQ_SYNC_UID: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, ".", "_" and "-"')
    .default('genesis-node'),
  ZEQ_SYNC_SIGNING_KEY: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 32 bytes as 64 hex digits; make one: openssl rand -hex 32')
    .optional(),
});

export type Config = z.infer<typeof Env>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('sync-engine', Env, env);
