import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import type { Tenant } from '../tenant.ts';
import { type Ask, type Call, makeCall } from './call.ts';

const EVERY_MS = 250;

/** Callers who hold what a change of secrets may make invalid: a session from before, sessions made on the way, a platform key. */
export class Keepers {
  readonly calls: Call[] = [];
  /** The platform key that clients use just now. */
  platformKey: string;
  readonly #tenant: Tenant;
  readonly #agent = new Agent();
  readonly #oldSession: string;
  #stopped = false;
  readonly #running: Promise<void>;

  private constructor(tenant: Tenant, session: string) {
    this.#tenant = tenant;
    this.#oldSession = session;
    this.platformKey = tenant.mesh.secrets.ZEQ_API_KEYS;
    this.#running = this.#run();
  }

  static async open(tenant: Tenant): Promise<Keepers> {
    return new Keepers(tenant, await newSession(tenant));
  }

  get oldSession(): string {
    return this.#oldSession;
  }

  async stop(): Promise<Call[]> {
    this.#stopped = true;
    await this.#running;
    await this.#agent.destroy();
    return this.calls;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#ask('old session', this.#listWith(this.#oldSession));
      await this.#ask('new session', this.#listWith(await newSession(this.#tenant)));
      const { gateway } = this.#tenant.mesh;
      const headers = { 'x-api-key': this.platformKey };
      await this.#ask('platform key', { method: 'GET', url: `${gateway}/api/v1/status`, headers });
      await sleep(EVERY_MS);
    }
  }

  #listWith(session: string): Ask {
    const { mesh, slug } = this.#tenant;
    const headers = { authorization: `Bearer ${session}` };
    return { method: 'GET', url: `${mesh.gateway}/api/zeq/apis/${slug}?limit=1`, headers };
  }

  async #ask(kind: string, ask: Ask): Promise<void> {
    this.calls.push(await makeCall(this.#agent, kind, kind, ask));
  }
}

async function newSession({ call }: Tenant): Promise<string> {
  const answer = await call('POST', '/api/zeq/session');
  return ((await answer.json()) as { token: string }).token;
}
