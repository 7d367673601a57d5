import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AuthShape,
  type Change,
  type ChangeLine,
  DEFAULT_POLICY,
  type DraftApi,
  DraftRequest,
  type Lease,
  LeaseRequest,
  leaseContext,
  type Policy,
  SERVICE_TOKEN_HEADER,
  type ServiceClaims,
  StandingRequest,
} from '@zeq/contracts';
import { newId, sealLease } from '@zeq/crypto';
import { readBody, ServiceTokenVerifier } from '@zeq/service-kit';

export const SECRET = 'a-secret-of-this-test-run-and-nothing-else';
const ALIVE_EVERY_MS = 100;

export interface FakeApi {
  name?: string;
  base_url: string;
  machine_id: string;
  slug: string;
  auth?: { shape: AuthShape; value: string };
  auth_state?: Lease['auth_state'];
  policy?: Partial<Policy>;
  rate_limit_per_min?: number;
  extra_headers?: Record<string, string>;
}

/** The vault's internal routes as contracts describe them, over real sockets. */
export class FakeVault {
  /** What was asked for, in order. */
  readonly asked: LeaseRequest[] = [];
  /** Registrations that were leased without being saved. */
  readonly drafts: DraftApi[] = [];
  /** What every draft is refused with. */
  refuseDrafts: { code: string; detail: string } | undefined;
  /** Keys and tokens that were revoked without anybody being told. */
  readonly revoked = new Set<string>();
  /** What leases are answered with instead, for the time when the vault is ill. */
  failWith: number | undefined;
  /** What somebody in the middle makes of a lease. */
  tamper: ((lease: Lease) => Lease) | undefined;
  readonly #apis = new Map<string, { id: string; api: FakeApi }>();
  readonly #streams = new Set<ServerResponse>();
  readonly #verifier = new ServiceTokenVerifier('byok-vault', [SECRET]);
  readonly #server = createServer((req, res) => void this.#answer(req, res));
  #seq = 0;
  #epoch = 1;
  #alive: NodeJS.Timeout | undefined;

  async open(port = 0): Promise<string> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    this.#alive = setInterval(() => this.#say({ type: 'alive', seq: this.#seq }), ALIVE_EVERY_MS);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @returns The API's id. */
  register(api: FakeApi): string {
    const id = newId('api');
    this.#apis.set(id, { id, api });
    return id;
  }

  patch(id: string, change: Partial<FakeApi>): void {
    const held = this.#apis.get(id)!;
    held.api = { ...held.api, ...change };
    this.change('api_changed', held.api.machine_id, id);
  }

  remove(id: string): void {
    const { api } = this.#apis.get(id)!;
    this.#apis.delete(id);
    this.change('api_removed', api.machine_id, id);
  }

  change(what: Change['what'], machineId: string, id: string): void {
    this.#seq += 1;
    this.#say({ type: 'change', seq: this.#seq, what, machine_id: machineId, id });
  }

  /** Removes an API without telling anybody. */
  forget(id: string): void {
    this.#apis.delete(id);
  }

  /** Ends the feed's streams without a word; the next ones begin another epoch. */
  restartFeed(): void {
    this.#epoch += 1;
    for (const stream of this.#streams) stream.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#alive);
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const token = req.headers[SERVICE_TOKEN_HEADER] as string | undefined;
    const claims = this.#verifier.verify(token, ['forwarder']);
    if (claims === undefined) return void res.writeHead(401).end('{}');
    if (req.url?.startsWith('/internal/changes')) return this.#follow(res);
    const body: unknown = JSON.parse((await readBody(req, 65_536)).toString());
    if (req.url === '/internal/drafts') return this.#draft(DraftRequest.parse(body), claims, res);
    if (req.url === '/internal/standing') return this.#standing(StandingRequest.parse(body), res);
    const request = LeaseRequest.parse(body);
    this.asked.push(request);
    const lease = this.#leaseFor(request, claims);
    const status = this.failWith ?? (lease === undefined ? 404 : 200);
    res
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(lease === undefined ? {} : (this.tamper?.(lease) ?? lease)));
  }

  #standing({ ids }: StandingRequest, res: ServerResponse): void {
    if (this.failWith !== undefined) return void res.writeHead(this.failWith).end('{}');
    const gone = ids.filter((id) => this.revoked.has(id) || (id.startsWith('api_') && !this.#apis.has(id)));
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ gone }));
  }

  /** A draft's credential is one header line here; the vault's own tests know the rest. */
  #draft({ machine_id, api }: DraftRequest, claims: ServiceClaims, res: ServerResponse): void {
    this.drafts.push(api);
    const problem = this.refuseDrafts;
    if (problem !== undefined) return void res.writeHead(422).end(JSON.stringify(problem));
    const [name = '', value = ''] = (api.auth_header ?? '').split(': ');
    const draft: FakeApi = {
      base_url: api.base_url ?? '',
      machine_id,
      slug: 'alice',
      rate_limit_per_min: 3,
      ...(value === '' ? { auth_state: 'missing' } : { auth: { shape: { type: 'header', name }, value } }),
    };
    const lease = this.#leaseOf(newId('api'), draft, claims);
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(lease));
  }

  #follow(res: ServerResponse): void {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' });
    this.#streams.add(res);
    res.on('close', () => this.#streams.delete(res));
    res.write(
      `${JSON.stringify({ type: 'hello', epoch: String(this.#epoch), seq: this.#seq, complete: true })}\n`,
    );
  }

  #say(line: ChangeLine): void {
    for (const stream of this.#streams) stream.write(`${JSON.stringify(line)}\n`);
  }

  #leaseFor({ machine_id, api: ref }: LeaseRequest, claims: ServiceClaims): Lease | undefined {
    const held = [...this.#apis.values()].find(
      ({ id, api }) => api.machine_id === machine_id && (id === ref || api.name === ref),
    );
    if (held === undefined) return undefined;
    return this.#leaseOf(held.id, held.api, claims);
  }

  #leaseOf(id: string, api: FakeApi, claims: ServiceClaims): Lease {
    const lease: Lease = {
      api_id: id,
      name: api.name ?? 'upstream',
      machine_id: api.machine_id,
      slug: api.slug,
      base_url: api.base_url,
      rate_limit_per_min: api.rate_limit_per_min ?? 1_000_000,
      extra_headers: api.extra_headers ?? {},
      policy: { ...DEFAULT_POLICY, ...api.policy },
      auth_state: api.auth_state ?? 'ok',
      auth_shape: api.auth?.shape ?? null,
      credential: null,
    };
    if (api.auth === undefined) return lease;
    const bytes = Buffer.from(api.auth.value, 'utf8');
    const credential = sealLease(bytes, claims.lease_key!, Buffer.from(leaseContext(lease), 'utf8'));
    return { ...lease, credential };
  }
}
