import type { SessionInfo } from '@zeq/contracts';
import { Deadline } from './deadline.ts';
import { type Query, queryText } from './paths.ts';
import { errorOf } from './problem.ts';
import type { Body, HeaderPairs, Transport } from './transport.ts';
import { invalidArgument, ZeqError } from './zeq-error.ts';

/** As whom a request is made. */
export type Identity = 'key' | 'platform' | 'admin' | 'nobody';

/** What every call may be given. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds until the whole answer; 0: no limit. */
  timeoutMs?: number | undefined;
}

export interface RequestOptions extends CallOptions {
  as?: Identity;
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  body?: Body | undefined;
  headers?: HeaderPairs;
}

export interface CoreOptions {
  transport: Transport;
  credentials: Readonly<Partial<Record<'key' | 'platform' | 'admin', string>>>;
  slug: string | undefined;
  timeoutMs: number;
}

/** The part under every resource: identity, limits in time, JSON, errors. It keeps secrets where no inspector looks. */
export class Core {
  readonly #options: CoreOptions;
  #slug: Promise<string> | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    if (options.slug !== undefined) this.#slug = Promise.resolve(options.slug);
  }

  /** A JSON answer. @throws ZeqError for every other answer than a success. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const { value } = await this.#whole(method, path, options, async (response) =>
      response.status === 204 ? undefined : await parseJson(response),
    );
    return value as T;
  }

  /** The text of an answer, such as CSV. */
  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    return (await this.#whole(method, path, options, (response) => response.text())).value;
  }

  /** Every page of a list, by `Link: <…>; rel="next"`. */
  async pages<T>(path: string, options: RequestOptions = {}): Promise<T[]> {
    const pages: T[] = [];
    for (let next: string | undefined = path; next !== undefined; ) {
      const page: { value: unknown; headers: Headers } = await this.#whole('GET', next, options, parseJson);
      pages.push(page.value as T);
      next = /<([^>]+)>;\s*rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    return pages;
  }

  /** The answer as it comes, whatever its status. The limit in time is for its head: a stream may last. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const deadline = new Deadline(options.timeoutMs ?? this.#options.timeoutMs, options.signal);
    try {
      return await this.#send(method, path, options, deadline);
    } catch (err) {
      throw deadline.explain(err);
    } finally {
      deadline.done();
    }
  }

  /** The machine's name in paths: as it was given, or as the mesh tells whoever holds the key. */
  slug(): Promise<string> {
    this.#slug ??= this.#askForSlug();
    return this.#slug;
  }

  async #askForSlug(): Promise<string> {
    try {
      return (await this.json<SessionInfo>('GET', '/api/zeq/session')).machine.slug;
    } catch (err) {
      this.#slug = undefined; // asked again next time
      throw err;
    }
  }

  async #whole<T>(
    method: string,
    path: string,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<{ value: T; headers: Headers }> {
    const deadline = new Deadline(options.timeoutMs ?? this.#options.timeoutMs, options.signal);
    try {
      const response = await this.#send(method, path, options, deadline);
      if (!response.ok) throw await errorOf(response);
      return { value: await read(response), headers: response.headers };
    } catch (err) {
      throw deadline.explain(err);
    } finally {
      deadline.done();
    }
  }

  #send(method: string, path: string, options: RequestOptions, deadline: Deadline): Promise<Response> {
    const { json, body, query } = options;
    return this.#options.transport({
      method,
      path: path + queryText(query),
      headers: this.#headersFor(options),
      body: json === undefined ? body : JSON.stringify(json),
      signal: deadline.signal,
    });
  }

  #headersFor({ as = 'key', headers: given, json }: RequestOptions): Headers {
    const headers = toHeaders(given);
    if (json !== undefined) headers.set('content-type', 'application/json');
    if (as === 'nobody') return headers;
    const secret = this.#options.credentials[as];
    if (secret === undefined) throw invalidArgument(`This call needs ${NEEDED[as]}.`);
    if (as === 'key') headers.set('authorization', `Bearer ${secret}`);
    else headers.set(as === 'platform' ? 'x-api-key' : 'x-admin-key', secret);
    return headers;
  }
}

const NEEDED = {
  key: 'a machine key, an app token or a session (key)',
  platform: 'a key of the platform (platformKey)',
  admin: 'an admin key (adminKey)',
};

/** The runtime's own error would repeat the value. */
function toHeaders(given: HeaderPairs | undefined): Headers {
  try {
    return new Headers(given);
  } catch {
    throw invalidArgument('a header has a name or a value that cannot be sent.');
  }
}

async function parseJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const detail = 'The answer is not JSON; is the address that of a mesh?';
    throw new ZeqError({ status: response.status, code: 'answer_invalid', detail });
  }
}
