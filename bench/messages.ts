/** What is asked and answered, in the size and shape of a chat completion. */
const text = 'The quick brown fox jumps over the lazy dog. '.repeat(12).trim();

/** About 1 KB. */
export const COMPLETION = JSON.stringify({
  id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
  object: 'chat.completion',
  created: 1_741_569_952,
  model: 'gpt-4.1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: text, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 19,
    completion_tokens: 110,
    total_tokens: 129,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  },
  service_tier: 'default',
});

/** The headers that such an API sends besides the standard ones. */
export const ANSWER_HEADERS = {
  'openai-organization': 'org-bench',
  'openai-processing-ms': '42',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-request-id': 'req_0123456789abcdef0123456789abcdef',
  'x-content-type-options': 'nosniff',
};

const question = 'Tell me something about foxes, please. '.repeat(6).trim();

export const chatRequest = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    model: 'gpt-4.1',
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: question },
    ],
    temperature: 0.7,
    ...more,
  });

/** The key that the upstream insists on; it answers 401 to any other. It guards nothing but this benchmark. */
export const UPSTREAM_KEY = 'sk-bench-0123456789abcdefghijklmnop';

/** What a client sends besides its authentication. */
export const CLIENT_HEADERS = {
  'Content-Type': 'application/json',
  Accept: 'application/json',
  'User-Agent': 'bench/1.0',
};
