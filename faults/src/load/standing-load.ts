import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import type { Tenant } from '../tenant.ts';
import { CALL_ID, isWholeStream } from '../upstream.ts';
import { type Ask, type Call, makeCall } from './call.ts';
import { SocketTalker } from './socket.ts';
import { TickReader } from './ticks.ts';

export interface Rates {
  /** Every third of them is a stream. */
  forwardsPerSecond: number;
  streamMs: number;
  registrationsPerSecond: number;
  adminReadsPerSecond: number;
  tickReaders: number;
  sockets: number;
}

export const WHOLE: Rates = {
  forwardsPerSecond: 100,
  streamMs: 5_000,
  registrationsPerSecond: 5,
  adminReadsPerSecond: 1,
  tickReaders: 2,
  sockets: 1,
};

/** What two busy cores carry beside the services. */
export const SHORT: Rates = {
  forwardsPerSecond: 12,
  streamMs: 1_000,
  registrationsPerSecond: 1,
  adminReadsPerSecond: 0.5,
  tickReaders: 1,
  sockets: 1,
};

const BODY_BYTES = 2_048;

/** Callers of every kind, at a steady rate that does not depend on how the mesh is. Each call is kept with its outcome. */
export class StandingLoad {
  readonly calls: Call[] = [];
  readonly #tenant: Tenant;
  readonly #rates: Rates;
  readonly #agent: Agent;
  readonly #open = new Set<Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #readers: TickReader[] = [];
  #talkers: SocketTalker[] = [];
  #count = 0;

  /**
   * @param keepsConnections Whether a connection carries one call after another. Where services are replaced it must not: a call could
   * take one in the moment in which the old process closes it, which nginx, who is not here, would send again.
   */
  constructor(tenant: Tenant, rates: Rates, keepsConnections: boolean) {
    this.#tenant = tenant;
    this.#rates = rates;
    const timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000 };
    this.#agent = new Agent({ connections: 256, pipelining: keepsConnections ? 1 : 0, ...timeouts });
  }

  get readers(): readonly TickReader[] {
    return this.#readers;
  }

  get talkers(): readonly SocketTalker[] {
    return this.#talkers;
  }

  start(): void {
    const { tickReaders, sockets } = this.#rates;
    const { mesh, headers } = this.#tenant;
    this.#every(this.#rates.forwardsPerSecond, () => this.forward());
    this.#every(this.#rates.registrationsPerSecond, () => this.#register());
    this.#every(this.#rates.adminReadsPerSecond, () => this.#readAsOperator());
    this.#readers = Array.from({ length: tickReaders }, () => new TickReader(mesh.gateway));
    this.#talkers = Array.from(
      { length: sockets },
      () => new SocketTalker(`${this.#tenant.forward}/socket`, headers),
    );
  }

  /** Begins nothing more, and waits for what is open. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const talker of this.#talkers) talker.stop();
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    await Promise.all(this.#open);
    await this.#agent.destroy();
  }

  /** One more forwarded call, a stream every third time. */
  forward(): void {
    this.#count += 1;
    if (this.#count % 3 === 0) this.#stream();
    else this.#post();
  }

  #every(perSecond: number, act: () => void): void {
    if (perSecond > 0) this.#timers.push(setInterval(act, 1_000 / perSecond));
  }

  #post(): void {
    const body = randomBytes(BODY_BYTES);
    const sha256 = createHash('sha256').update(body).digest('hex');
    this.#make('forward', (id) => ({
      method: 'POST',
      url: `${this.#tenant.forward}/echo`,
      headers: this.#headersOf(id),
      body,
      judge: (text) =>
        text === JSON.stringify({ bytes: BODY_BYTES, sha256 }) ? undefined : 'another answer',
    }));
  }

  #stream(): void {
    this.#make('stream', (id) => ({
      method: 'GET',
      url: `${this.#tenant.forward}/stream?ms=${this.#rates.streamMs}`,
      headers: this.#headersOf(id),
      judge: (text) => (isWholeStream(text) ? undefined : 'a stream that ended cleanly before its end'),
    }));
  }

  /** The call is known at the upstream by its own header, and in the record by its request id. */
  #headersOf = (id: string) => ({ ...this.#tenant.headers, [CALL_ID]: id, 'x-request-id': id });

  #register(): void {
    const { registration, acknowledged } = this.#tenant.nextRegistration();
    this.#make('register', () => ({ ...registration, judge: acknowledged }));
  }

  #readAsOperator(): void {
    const { mesh } = this.#tenant;
    this.#make('admin', () => ({
      method: 'GET',
      url: `${mesh.gateway}/api/zeq/admin/rotate-field-key`,
      headers: { 'x-admin-key': mesh.secrets.ZEQ_ADMIN_KEYS },
    }));
  }

  #make(kind: string, askOf: (id: string) => Ask): void {
    const id = `${kind}-${this.calls.length + this.#open.size}-${randomBytes(4).toString('hex')}`;
    const made = makeCall(this.#agent, kind, id, askOf(id)).then((call) => {
      this.calls.push(call);
      this.#open.delete(made);
    });
    this.#open.add(made);
  }
}
