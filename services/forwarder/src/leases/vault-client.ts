import {
  type DraftApi,
  Lease,
  PROBLEMS,
  type ProblemCode,
  SERVICE_TOKEN_HEADER,
  StandingAnswer,
} from '@zeq/contracts';
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
  /**
   * A lease on a registration that is not saved, for one test.
   *
   * @returns undefined when there is no such machine.
   * @throws ProblemError what the vault has against the registration; `vault_unavailable`
   */
  draft(machineId: string, api: DraftApi): Promise<Lease | undefined>;
}

/** Asks whether what calls were opened on still stands. */
export interface Standing {
  /**
   * @param ids Of APIs, keys and app tokens, at most 1,000.
   * @returns Those that are gone.
   * @throws ProblemError `vault_unavailable`
   */
  gone(ids: readonly string[]): Promise<string[]>;
}

/** Asks the vault for leases. */
export class VaultClient implements LeaseSource, Standing {
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
    return leaseOf(await this.#post('/internal/leases', { machine_id: machineId, api }));
  }

  async draft(machineId: string, api: DraftApi): Promise<Lease | undefined> {
    const answer = await this.#post('/internal/drafts', { machine_id: machineId, api });
    const refusal = refusalOf(answer);
    if (refusal !== undefined) throw refusal;
    return leaseOf(answer);
  }

  async gone(ids: readonly string[]): Promise<string[]> {
    const { status, body } = await this.#post('/internal/standing', { ids });
    const parsed = StandingAnswer.safeParse(body);
    if (status !== 200 || !parsed.success)
      throw unavailable(new Error(`the vault answered ${status} about what stands`));
    return parsed.data.gone;
  }

  async #post(path: string, body: unknown): Promise<Answer> {
    try {
      const answer = await this.#pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', [SERVICE_TOKEN_HEADER]: this.#token() },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS), // waiting for a connection counts too
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

interface Answer {
  status: number;
  body: unknown;
}

function leaseOf({ status, body }: Answer): Lease | undefined {
  if (status === 404) return undefined;
  const parsed = Lease.safeParse(body);
  if (status !== 200 || !parsed.success)
    throw unavailable(new Error(`the vault answered ${status}${parsed.success ? '' : ' in another form'}`));
  return parsed.data;
}

/** What the vault has against a registration is its owner's to know; anything else between us and it is not. */
const REGISTRATION_CODES: readonly ProblemCode[] = [
  'base_url_refused',
  'auth_header_refused',
  'invalid_header',
  'invalid_body',
];

function refusalOf({ body }: Answer): ProblemError | undefined {
  const { code, detail } = body as { code?: unknown; detail?: unknown };
  const known = REGISTRATION_CODES.find((each) => each === code);
  return known === undefined ? undefined : new ProblemError(known, String(detail ?? PROBLEMS[known].title));
}

const unavailable = (cause: unknown) =>
  new ProblemError('vault_unavailable', 'The vault cannot be reached; try again shortly.', {
    retryAfter: 1,
    cause,
  });
