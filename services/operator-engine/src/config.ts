import { ApiName, PLATFORM_SLUG } from '@zeq/contracts';
import { ConfigError, commonEnv, parseEnv, port, serviceUrl, sharedSecret } from '@zeq/service-kit';
import { z } from 'zod';
import type { ModelOptions } from './seven-step/ask-model.ts';

export const Env = z.object({
  ...commonEnv,
  OPERATOR_PORT: port(8080),
  ZEQ_INTERNAL_SECRET_PREV: sharedSecret.optional(), // set only while it is being changed
  JWT_SECRET: sharedSecret,
  JWT_SECRET_PREV: sharedSecret.optional(), // set only while it is being changed
  ZEQ_PROOF_SECRET: sharedSecret.optional(), // without it proofs are made from ZEQ_INTERNAL_SECRET
  ZEQ_PROOF_SECRET_PREV: sharedSecret.optional(), // its proofs still verify
  VAULT_URL: serviceUrl('http://127.0.0.1:4002'),
  GATEWAY_URL: serviceUrl('http://127.0.0.1:4000'), // by which a model is asked, as by any app
  ZEQ_MODEL_API: ApiName.optional(), // the platform machine's API that may read questions; all three or none
  ZEQ_MODEL_TOKEN: z
    .string()
    .regex(/^z(?:at|sm)_[0-9A-Za-z]{43}$/, 'must be a token (zat_…) or key (zsm_…) of the platform machine')
    .optional(),
  ZEQ_MODEL: z.string().max(200).optional(), // the model's name, as the API knows it
  ZEQ_DATA_DIR: z.string().default('.zeq'),
  MONGO_URL: z.url({ protocol: /^mongodb(\+srv)?$/, error: 'must be a mongodb:// URL' }).optional(),
  RATE_LIMIT_RPM: z.coerce
    .number('must be a whole number of requests per minute')
    .int('must be a whole number of requests per minute')
    .min(1, 'must be at least 1')
    .max(1_000_000_000, 'must be at most 1000000000')
    .default(100),
});
export type Config = z.infer<typeof Env>;

/** @throws ConfigError naming everything that is wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('operator-engine', Env, env);

/** How to ask a model; undefined where none is configured. @throws ConfigError when only a part of it is set. */
export function modelOptions(config: Config): ModelOptions | undefined {
  const { ZEQ_MODEL_API: api, ZEQ_MODEL_TOKEN: token, ZEQ_MODEL: model, GATEWAY_URL: gatewayUrl } = config;
  if (api === undefined && token === undefined && model === undefined) return undefined;
  if (api === undefined || token === undefined || model === undefined)
    throw new ConfigError(
      'operator-engine cannot start. Fix these settings:\n  ZEQ_MODEL_API, ZEQ_MODEL_TOKEN and ZEQ_MODEL go together; set all three or none',
    );
  return { gatewayUrl, slug: PLATFORM_SLUG, api, token, model };
}

/** The secret that signs proofs, then those under which older proofs still verify. */
export function proofSecrets(config: Config): [string, ...string[]] {
  const { ZEQ_PROOF_SECRET, ZEQ_PROOF_SECRET_PREV, ZEQ_INTERNAL_SECRET, ZEQ_INTERNAL_SECRET_PREV } = config;
  const all = [ZEQ_PROOF_SECRET, ZEQ_PROOF_SECRET_PREV, ZEQ_INTERNAL_SECRET, ZEQ_INTERNAL_SECRET_PREV];
  const [first = ZEQ_INTERNAL_SECRET, ...others] = all.filter((secret) => secret !== undefined);
  return [first, ...others];
}
