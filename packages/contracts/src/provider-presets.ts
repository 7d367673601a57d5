/** Presets without any schema: the page carries them to every visitor. */

/** A provider whose base URL, credential header and test path we know. `{key}` in `authHeader` is replaced by the bare key. */
export interface ProviderPreset {
  label: string;
  /** null: the owner has to give it, because it holds a resource name. */
  baseUrl: string | null;
  authHeader: string | null;
  testPath: string;
  extraHeaders?: Record<string, string>;
}

export const PROVIDERS = {
  openai: {
    label: 'OpenAI',
    baseUrl: 'https://api.openai.com',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/models',
  },
  anthropic: {
    label: 'Anthropic',
    baseUrl: 'https://api.anthropic.com',
    authHeader: 'x-api-key: {key}',
    testPath: '/v1/models',
    // A default only: the caller's own anthropic-version goes before it.
    extraHeaders: { 'anthropic-version': '2023-06-01' },
  },
  gemini: {
    label: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com',
    authHeader: 'x-goog-api-key: {key}',
    testPath: '/v1beta/models',
  },
  'azure-openai': {
    label: 'Azure OpenAI',
    baseUrl: null,
    authHeader: 'api-key: {key}',
    testPath: '/openai/models?api-version=2024-10-21',
  },
  mistral: {
    label: 'Mistral',
    baseUrl: 'https://api.mistral.ai',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/models',
  },
  deepseek: {
    label: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/models',
  },
  fireworks: {
    label: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/models',
  },
  groq: {
    label: 'Groq',
    baseUrl: 'https://api.groq.com/openai',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/models',
  },
  openrouter: {
    label: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/key',
  },
  together: {
    label: 'Together AI',
    baseUrl: 'https://api.together.xyz',
    authHeader: 'Authorization: Bearer {key}',
    testPath: '/v1/models',
  },
  // Ollama runs beside the mesh, so its address has to stand in ZEQ_EGRESS_ALLOW; it takes no key.
  ollama: { label: 'Ollama', baseUrl: 'http://localhost:11434', authHeader: null, testPath: '/v1/models' },
} as const satisfies Record<string, ProviderPreset>;
