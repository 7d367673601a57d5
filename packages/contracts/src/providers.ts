import { z } from 'zod';
import { PROVIDERS } from './provider-presets.ts';

export type ProviderId = keyof typeof PROVIDERS;
export const ProviderId = z.enum(Object.keys(PROVIDERS) as [ProviderId, ...ProviderId[]]);

/** Variables that, where set, register an API of the platform machine at the start of the vault. */
export const PLATFORM_KEYS = {
  OPENAI_API_KEY: 'openai',
  DEEPSEEK_API_KEY: 'deepseek',
  FIREWORKS_API_KEY: 'fireworks',
} as const satisfies Record<string, ProviderId>;

export const PLATFORM_SLUG = 'platform';
