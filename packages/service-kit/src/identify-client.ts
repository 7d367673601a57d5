import { IdentifyAnswer, type IdentifyRequest, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { Pool } from 'undici';
import type { Identify } from './identities.ts';
import { ProblemError } from './problem.ts';
import type { ServiceTokenSigner } from './service-token.ts';

const CONNECTIONS = 32;
/** The vault answers from an index; one that takes longer is in trouble (ms). */
const TIMEOUT_MS = 5_000;

export interface IdentifyClient {
  identify: Identify;
  close(): Promise<void>;
}

/** Asks the vault who a token stands for. The token itself never goes there, only its SHA-256. */
export function openIdentifyClient(url: string, signer: ServiceTokenSigner): IdentifyClient {
  const pool = new Pool(url, {
    connections: CONNECTIONS,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    connect: { timeout: TIMEOUT_MS },
  });
  return {
    close: () => pool.destroy(),
    async identify(question: IdentifyRequest) {
      const { statusCode, body } = await ask(pool, signer, question);
      if (statusCode === 200) return IdentifyAnswer.parse(await body.json());
      await body.dump();
      if (statusCode === 404) return undefined;
      throw away(new Error(`the vault answered ${statusCode} to identify`));
    },
  };
}

async function ask(pool: Pool, signer: ServiceTokenSigner, question: IdentifyRequest) {
  try {
    return await pool.request({
      path: '/internal/identify',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [SERVICE_TOKEN_HEADER]: signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous'),
      },
      body: JSON.stringify(question),
    });
  } catch (cause) {
    throw away(cause);
  }
}

const away = (cause: unknown) =>
  new ProblemError('vault_unavailable', 'The vault cannot be asked who is calling; try again.', { cause });
