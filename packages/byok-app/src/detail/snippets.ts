import type { ApiView } from '@zeq/contracts';

export interface Snippet {
  id: string;
  label: string;
  code: string;
}

/** In every snippet the token comes from the environment: code with a token in it gets committed. */
const TOKEN = 'ZEQ_TOKEN';

/** What to paste into an app, with the address of this API in it. @param forward Where the API is called, without a last slash. */
export function snippetsFor(api: Pick<ApiView, 'provider' | 'test_path'>, forward: string): Snippet[] {
  const path = api.test_path ?? '/';
  const snippets: Snippet[] = [
    { id: 'curl', label: 'curl', code: `curl ${forward}${path} \\\n  -H "Authorization: Bearer $${TOKEN}"` },
    { id: 'openai', label: 'OpenAI SDK', code: openAi(forward + openAiRoot(api)) },
    { id: 'anthropic', label: 'Anthropic SDK', code: anthropic(forward) },
    { id: 'python', label: 'Python', code: python(forward + path) },
    { id: 'fetch', label: 'fetch', code: fetchCall(forward + path) },
  ];
  const first =
    api.provider === 'anthropic' ? 'anthropic' : isOpenAiLike(api.provider) ? 'openai' : undefined;
  return first === undefined ? snippets : snippets.toSorted((a, b) => rank(a, first) - rank(b, first));
}

const rank = ({ id }: Snippet, first: string) => (id === first ? 0 : 1);

const isOpenAiLike = (provider: string | null): boolean =>
  provider !== null && provider !== 'anthropic' && provider !== 'gemini';

/** What the provider's base URL leaves to the SDK: everything in front of `/models` of its test path. */
function openAiRoot({ provider, test_path }: Pick<ApiView, 'provider' | 'test_path'>): string {
  if (provider === 'azure-openai') return '/openai/v1';
  if (!isOpenAiLike(provider)) return '/v1';
  return test_path?.endsWith('/models') ? test_path.slice(0, -'/models'.length) : '/v1';
}

const openAi = (baseUrl: string) => `import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: '${baseUrl}',
  apiKey: process.env.${TOKEN},
});`;

const anthropic = (baseUrl: string) => `import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({
  baseURL: '${baseUrl}',
  apiKey: process.env.${TOKEN},
});`;

const python = (url: string) => `import os, urllib.request

request = urllib.request.Request(
    "${url}",
    headers={"Authorization": f"Bearer {os.environ['${TOKEN}']}"},
)
print(urllib.request.urlopen(request).read().decode())`;

const fetchCall = (url: string) => `const answer = await fetch('${url}', {
  headers: { Authorization: \`Bearer \${process.env.${TOKEN}}\` },
});
console.log(await answer.json());`;
