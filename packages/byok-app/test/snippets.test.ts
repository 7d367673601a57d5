import { snippetsFor } from '../src/detail/snippets.ts';

const FORWARD = 'https://zeq.example.com/api/zeq/apis/acme/it/forward';
const codeOf = (api: Parameters<typeof snippetsFor>[0], id: string) =>
  snippetsFor(api, FORWARD).find((snippet) => snippet.id === id)?.code;

describe('snippetsFor', () => {
  it.each([
    ['openai', '/v1/models', '/v1'],
    ['groq', '/v1/models', '/v1'],
    ['deepseek', '/models', ''],
    ['openrouter', '/v1/key', '/v1'],
    ['azure-openai', '/openai/models?api-version=2024-10-21', '/openai/v1'],
    [null, null, '/v1'],
  ] as const)('gives the OpenAI SDK the base URL of %s', (provider, test_path, root) => {
    expect(codeOf({ provider, test_path }, 'openai')).toContain(`baseURL: '${FORWARD}${root}'`);
  });

  it('gives the Anthropic SDK the address without /v1, which it adds itself', () => {
    expect(codeOf({ provider: 'anthropic', test_path: '/v1/models' }, 'anthropic')).toContain(
      `baseURL: '${FORWARD}'`,
    );
  });

  it("begins with the provider's own SDK", () => {
    const first = (provider: 'anthropic' | 'openai' | 'gemini') =>
      snippetsFor({ provider, test_path: '/v1/models' }, FORWARD)[0]?.id;

    expect([first('anthropic'), first('openai'), first('gemini')]).toEqual(['anthropic', 'openai', 'curl']);
  });

  it('holds no token, only the name of the variable', () => {
    for (const { code } of snippetsFor({ provider: 'openai', test_path: '/v1/models' }, FORWARD)) {
      expect(code).toContain('ZEQ_TOKEN');
      expect(code).not.toMatch(/z[sa][mt]_/);
    }
  });
});
