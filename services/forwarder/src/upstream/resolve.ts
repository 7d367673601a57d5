import { Resolver } from 'node:dns/promises';
import { ProblemError } from '@zeq/service-kit';

/** Answers are kept for their TTL, at most this long (ms), so that a name that moves is followed. */
const KEEP_AT_MOST_MS = 5_000;
/** For A and AAAA together (ms); each is asked once. */
const BUDGET_MS = 4_000;
const MAX_ADDRESSES = 64;
const MAX_NAMES = 10_000;

interface Answer {
  addresses: readonly string[];
  /** Monotonic ms. */
  until: number;
}

export interface ResolverOptions {
  /** `address` or `address:port`; the system's own where empty. */
  servers: readonly string[];
  budgetMs?: number;
}

/**
 * Resolves names with c-ares, which has its own sockets: `getaddrinfo` would queue on the four threads that everything in the
 * process shares. Two queries per question and no repetition; calls that ask at the same time share one question.
 */
export class NameResolver {
  readonly #resolver: Resolver;
  readonly #budgetMs: number;
  readonly #answers = new Map<string, Answer>();
  readonly #asking = new Map<string, Promise<readonly string[]>>();

  constructor({ servers, budgetMs = BUDGET_MS }: ResolverOptions) {
    this.#budgetMs = budgetMs;
    this.#resolver = new Resolver({ timeout: budgetMs, tries: 1 });
    if (servers.length > 0) this.#resolver.setServers(servers);
  }

  /** @param now Monotonic ms. @returns Addresses that were resolved a moment ago, the same array for as long as they hold. */
  held(host: string, now: number): readonly string[] | undefined {
    const answer = this.#answers.get(host);
    return answer !== undefined && now < answer.until ? answer.addresses : undefined;
  }

  /**
   * The addresses of a name, IPv4 first.
   *
   * @throws ProblemError `dns_failed` or `dns_timeout`
   */
  resolve(host: string, now: number): Promise<readonly string[]> {
    if (host === 'localhost') return Promise.resolve(LOOPBACK); // RFC 6761 section 6.3: never asked of a server
    const running = this.#asking.get(host);
    if (running !== undefined) return running;
    const asking = this.#ask(host, now).finally(() => this.#asking.delete(host));
    this.#asking.set(host, asking);
    return asking;
  }

  /** Ends what is being asked. */
  cancel(): void {
    this.#resolver.cancel();
  }

  async #ask(host: string, now: number): Promise<readonly string[]> {
    const both = Promise.allSettled([
      this.#resolver.resolve4(host, { ttl: true }),
      this.#resolver.resolve6(host, { ttl: true }),
    ]);
    const results = await within(both, this.#budgetMs);
    const records = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (records.length === 0) throw toProblem(results);
    if (records.length > MAX_ADDRESSES)
      throw new ProblemError('dns_failed', `The upstream name has more than ${MAX_ADDRESSES} addresses.`);
    const addresses = records.map(({ address }) => address);
    const keepMs = Math.min(KEEP_AT_MOST_MS, ...records.map(({ ttl }) => ttl * 1000));
    if (keepMs > 0) this.#keep(host, { addresses, until: now + keepMs });
    return addresses;
  }

  #keep(host: string, answer: Answer): void {
    if (this.#answers.size >= MAX_NAMES) this.#answers.clear();
    this.#answers.set(host, answer);
  }
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** c-ares counts its timeout per server; this is the end of it all. */
async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const timedOut = () => new ProblemError('dns_timeout', 'The upstream name was not resolved in time.');

function toProblem(results: PromiseSettledResult<unknown>[]): ProblemError {
  const codes = results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as NodeJS.ErrnoException).code] : [],
  );
  if (codes.includes('ETIMEOUT')) return timedOut();
  return new ProblemError('dns_failed', 'The upstream name has no address.');
}
