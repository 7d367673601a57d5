import { Lease, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { Pool } from 'undici';

/** How long a lease may take (ms); a caller waits for it. */
const TIMEOUT_MS = 3_000;
const MAX_CONNECTIONS = 16;

export interface LeaseSource {
  /**
   * @param api The id or name of a registered API.
   * @returns undefined when the machine has no such API.
   * @throws ProblemError `vault_unavailable`
   */
  lease(machineId: string, api: string): Promise<Lease | undefined>;
}

/** Asks the vault for leases. */
export class VaultClient implements LeaseSource {
  readonly #pool: Pool;
  readonly #token: () => string;

  /** @param token Signs a service token for byok-vault that holds our lease key. */
  constructor(url: string, token: () => string) {
    this.#token = token;
    this.#pool = new Pool(url, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { timeout: TIMEOUT_MS },
    });
  }

  async lease(machineId: string, api: string): Promise<Lease | undefined> {
    const { status, body } = await this.#post({ machine_id: machineId, api });
    if (status === 404) return undefined;
    const parsed = Lease.safeParse(body);
    if (status !== 200 || !parsed.success)
      throw unavailable(new Error(`the vault answered ${status}${parsed.success ? '' : ' in another form'}`));
    return parsed.data;
  }

  async #post(body: unknown): Promise<{ status: number; body: unknown }> {
    try {
      const answer = await this.#pool.request({
        method: 'POST',
        path: '/internal/leases',
        headers: { 'content-type': 'application/json', [SERVICE_TOKEN_HEADER]: this.#token() },
        body: JSON.stringify(body),
      });
      return { status: answer.statusCode, body: await answer.body.json() };
    } catch (err) {
      throw unavailable(err);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const unavailable = (cause: unknown) =>
  new ProblemError('vault_unavailable', 'The vault cannot be reached; try again shortly.', {
    retryAfter: 1,
    cause,
  });
