import { commonEnv, parseEnv, port } from '@zeq/service-kit';
import { z } from 'zod';

const isHttp = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined; // URL.parse is not there yet in Node 20, which runs `zeq daemon`
  return url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.search === '';
};

/** One or more engines of one chain; blanks and a trailing slash are dropped. */
const engineList = z
  .string()
  .default('http://127.0.0.1:4001')
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim().replace(/\/+$/, ''))
      .filter((entry) => entry !== ''),
  )
  .refine((urls) => urls.length > 0 && urls.every(isHttp), {
    error: 'must be one or more http:// or https:// addresses with commas between them',
  });

export const Env = z.object({
  NODE_ENV: commonEnv.NODE_ENV,
  LOG_LEVEL: commonEnv.LOG_LEVEL,
  ZEQ_BIND: commonEnv.ZEQ_BIND,
  ZEQOND_PORT: port(2871),
  ZEQ_DATA_DIR: z.string().default('.zeq'),
  SYNC_URL: engineList,
  ZEQ_SYNC_PUBLIC_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits, as /sync/status shows them')
    .optional(), // without it the first key seen is believed and kept
});

export type Config = z.infer<typeof Env>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => parseEnv('zeqond-daemon', Env, env);
