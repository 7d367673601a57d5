import { ProblemError } from '@zeq/service-kit';
import { request } from 'undici';
import { z } from 'zod';
import type { AskModel } from './proposal.ts';

export interface ModelOptions {
  /** Base address of the gateway. */
  gatewayUrl: string;
  /** Slug of the machine that holds the API. */
  slug: string;
  /** The registered API's name; it speaks OpenAI's chat completions. */
  api: string;
  /** An app token, or a key of scope forward, of that machine. */
  token: string;
  model: string;
}

const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 65_536;
const Answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

/** Asks a registered model as any app would: through the gateway and the forwarder, with a token, under its limits and its audit. */
export function openModel({ gatewayUrl, slug, api, token, model }: ModelOptions): AskModel {
  const url = `${gatewayUrl}/api/zeq/apis/${slug}/${api}/forward/v1/chat/completions`;
  return async ({ system, user }) => {
    const messages = [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ];
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages, temperature: 0, max_tokens: 1_000 }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await bounded(body);
      if (statusCode !== 200) throw new Error(`the model's API answered ${statusCode}`);
      return Answer.parse(JSON.parse(text)).choices[0]!.message.content;
    } catch (cause) {
      throw new ProblemError('service_unavailable', 'The model could not be asked.', { cause });
    }
  };
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
