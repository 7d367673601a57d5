import { upstreamCases } from '../../../services/forwarder/test/hostile-upstream.ts';
import { hostileCases, partsOf } from '../../../services/gateway/test/kit/hostile-cases.ts';
import type { RawTarget } from '../raw-call.ts';

/** The hostile requests of the list as bytes, aimed at an API that exists. Their pauses are left out. */
export function requestCorpus({ forward, token }: RawTarget, slug: string): Buffer[] {
  const fill = {
    KEY: token,
    KEY_PREFIX: token.slice(0, 20),
    SLUG: slug,
    SLUG_UPPER: slug.toUpperCase(),
    ID: 'requests',
    OTHER_ID: 'api_0000000000000000000000',
    N: '7',
  };
  const routes = {
    '/echo': `${forward}/echo?key=${token}`,
    '/large': `${forward}/large?key=${token}`,
    '/__smuggled': `${forward}/smuggled?key=${token}`,
  };
  return hostileCases()
    .map((one) => textOf(partsOf(one, fill, routes)))
    .filter((bytes) => bytes.length > 0);
}

/** The hostile answers of the list as bytes. */
export const answerCorpus = (): Buffer[] =>
  upstreamCases()
    .map(({ respond }) => textOf(respond.parts ?? []))
    .filter((bytes) => bytes.length > 0);

const MAX_TIMES = 64;

function textOf(parts: readonly object[]): Buffer {
  const text = parts.map((part) => {
    const { text = '', times = 1 } = part as { text?: string; times?: number };
    return text.repeat(Math.min(times, MAX_TIMES));
  });
  return Buffer.from(text.join(''), 'latin1');
}
