import { SERVICE_TOKEN_HEADER, type UsageBatch } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { Pool } from 'undici';
import type { UsageSink } from './report-batches.ts';

/** How long one report may take (ms). */
const TIMEOUT_MS = 3_000;
/** Not in its form, or too large: the same would be refused again. */
const REFUSED_FOR_GOOD: ReadonlySet<number> = new Set([400, 413, 415]);

/** Reports usage to the vault, over a connection of its own: leases never wait behind it. */
export class ReportClient implements UsageSink {
  readonly #pool: Pool;
  readonly #token: () => string;

  /** @param token Signs a service token for byok-vault. */
  constructor(url: string, token: () => string) {
    this.#token = token;
    this.#pool = new Pool(url, {
      connections: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { timeout: TIMEOUT_MS },
    });
  }

  async reportUsage(batch: UsageBatch): Promise<'taken' | 'refused'> {
    const status = await this.#post(JSON.stringify(batch));
    if (status === 200) return 'taken';
    if (REFUSED_FOR_GOOD.has(status)) return 'refused';
    throw unavailable(new Error(`the vault answered ${status}`));
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #post(body: string): Promise<number> {
    try {
      const { statusCode, body: answer } = await this.#pool.request({
        method: 'POST',
        path: '/internal/usage',
        headers: { 'content-type': 'application/json', [SERVICE_TOKEN_HEADER]: this.#token() },
        body,
      });
      await answer.dump();
      return statusCode;
    } catch (err) {
      throw unavailable(err);
    }
  }
}

const unavailable = (cause: unknown): ProblemError =>
  new ProblemError('vault_unavailable', 'The vault cannot be reached.', { cause });
