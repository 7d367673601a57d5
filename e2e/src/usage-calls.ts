import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type UsageUpstream, WHOLE_KINDS } from './usage-upstream.ts';

/** What callers saw of calls that never reached the upstream, or did not come to their end. */
export interface Refusals {
  outOfScope: number;
  aborted: number;
  broken: number;
  tests: number;
}

export interface MixedCallsOptions {
  gateway: string;
  slug: string;
  upstream: UsageUpstream;
  owner: string;
  /** An app token that may only GET. */
  reader: string;
}

const KINDS = [...WHOLE_KINDS, ...WHOLE_KINDS, 'socket', 'refused', 'test', 'silence', 'stream', 'break'];
/** While the forwarder restarts, the gateway says so; the call is made again then. */
const AWAY: ReadonlySet<number> = new Set([502, 503]);

/** Makes calls of every kind, so many at a time, and counts those that only callers can count. */
export class MixedCalls {
  readonly seen: Refusals = { outOfScope: 0, aborted: 0, broken: 0, tests: 0 };
  /** Calls that came to the end that they were meant to come to. */
  done = 0;
  #next = 0;
  readonly #options: MixedCallsOptions;

  constructor(options: MixedCallsOptions) {
    this.#options = options;
  }

  /** Resolves when so many calls have been made. */
  async reached(done: number): Promise<void> {
    while (this.done < done) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Makes so many calls. A call that finds the forwarder away is made again. */
  async run(calls: number, atOnce: number): Promise<void> {
    const last = this.#next + calls;
    const work = async () => {
      while (this.#next < last) await this.#untilMade(this.#next++);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  async #untilMade(n: number): Promise<void> {
    const kind = KINDS[n % KINDS.length]!;
    for (let attempt = 0; !(await this.#make(kind, `${n}-${attempt}`)); attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    this.done += 1;
  }

  /** @returns Whether it came to its end; one that was cut off by a kill did not. */
  async #make(kind: string, id: string): Promise<boolean> {
    try {
      return await this.#begin(kind, id);
    } catch (err) {
      if (err instanceof TypeError) return false; // fetch: the connection broke
      throw err;
    }
  }

  #begin(kind: string, id: string): Promise<boolean> {
    if (kind === 'socket') return this.#socket(id);
    if (kind === 'refused') return this.#refused();
    if (kind === 'test') return this.#test();
    if (kind === 'silence' || kind === 'stream' || kind === 'break') return this.#cut(kind, id);
    return this.#whole(kind);
  }

  async #whole(kind: string): Promise<boolean> {
    const body = kind === 'upload' ? 'x'.repeat(100_000) : kind === 'empty' ? undefined : '{"model":"m"}';
    const method = body === undefined ? 'GET' : 'POST';
    const res = await this.#fetch('whole', `/${kind}`, { method, ...(body !== undefined && { body }) });
    await res.arrayBuffer();
    return !(AWAY.has(res.status) && res.headers.has('x-zeq-error'));
  }

  async #refused(): Promise<boolean> {
    const { reader } = this.#options;
    const res = await this.#fetch('whole', '/chat', {
      method: 'POST',
      headers: { authorization: `Bearer ${reader}` },
    });
    await res.arrayBuffer();
    if (res.headers.get('x-zeq-error') !== 'out_of_scope') return false;
    this.seen.outOfScope += 1;
    return true;
  }

  async #test(): Promise<boolean> {
    const { gateway, slug, owner } = this.#options;
    const res = await fetch(`${gateway}/api/zeq/apis/${slug}/whole/test`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
      body: JSON.stringify({ path: '/chat', method: 'GET' }),
    });
    await res.arrayBuffer();
    if (res.status !== 200) return false;
    this.seen.tests += 1;
    return true;
  }

  /** The caller leaves as soon as the upstream has the request, or the first bytes are there; or the upstream breaks off. */
  async #cut(kind: string, id: string): Promise<boolean> {
    const { upstream } = this.#options;
    const leave = new AbortController();
    const arrived = upstream.arrival(`/cut/${kind}/${id}`);
    if (kind === 'silence') void arrived.then(() => leave.abort());
    try {
      const res = await this.#fetch('cut', `/${kind}/${id}`, { signal: leave.signal });
      if (AWAY.has(res.status)) return false;
      await res.body!.getReader().read();
      if (kind === 'stream') leave.abort();
      else await res.arrayBuffer().catch(() => undefined);
    } catch {
      if (!leave.signal.aborted && kind !== 'break') return false;
    }
    this.seen[kind === 'break' ? 'broken' : 'aborted'] += 1;
    return true;
  }

  async #socket(id: string): Promise<boolean> {
    const { gateway, slug, owner } = this.#options;
    const url = `${gateway.replace('http', 'ws')}/api/zeq/apis/${slug}/whole/forward/socket/${id}`;
    const ws = new WebSocket(url, {
      headers: { authorization: `Bearer ${owner}` },
      perMessageDeflate: false,
    });
    const gone = new AbortController();
    const closed = new Promise<void>((resolve) => ws.once('close', resolve));
    void closed.then(() => gone.abort()); // a killed forwarder closes it in the midst
    try {
      await once(ws, 'open', gone);
      for (let i = 0; i < 3; i += 1) {
        ws.send('m'.repeat(200 * (i + 1)));
        await once(ws, 'message', gone);
      }
      ws.close();
      await closed;
      return true;
    } catch {
      ws.terminate();
      return false;
    }
  }

  #fetch(api: string, path: string, init: RequestInit): Promise<Response> {
    const { gateway, slug, owner } = this.#options;
    const headers = { authorization: `Bearer ${owner}`, 'content-type': 'application/json', ...init.headers };
    return fetch(`${gateway}/api/zeq/apis/${slug}/${api}/forward${path}`, { ...init, headers });
  }
}
