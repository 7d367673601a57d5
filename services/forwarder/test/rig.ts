import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { AppCaller, Caller, OwnerCaller, UsageBatch } from '@zeq/contracts';
import { LeaseRecipient, newId } from '@zeq/crypto';
import { type EgressRules, egressRules, parseEgressAllow } from '@zeq/egress';
import {
  AccessLog,
  buildLogger,
  buildMetrics,
  ServiceTokenSigner,
  ServiceTokenVerifier,
  VaultFeed,
} from '@zeq/service-kit';
import { buildForwarder } from '../src/app.ts';
import { buildDataPlane, type DataPlane } from '../src/data-plane.ts';
import { VaultClient } from '../src/leases/vault-client.ts';
import { CallMetrics } from '../src/metrics.ts';
import { buildSecureContext, type ConnectTcp, systemConnect } from '../src/upstream/dial.ts';
import { NameResolver } from '../src/upstream/resolve.ts';
import { UsageRecorder } from '../src/usage/usage-recorder.ts';
import { DnsStub } from './dns-stub.ts';
import { type FakeApi, FakeVault, SECRET } from './fake-vault.ts';

export const SLUG = 'alice';
/** Looked for wherever it must not be. */
export const CANARY = 'sk-canary-5f2b9c7e41d8a6';
export const BEARER = {
  shape: { type: 'header', name: 'Authorization' } as const,
  value: `Bearer ${CANARY}`,
};

export interface RigOptions {
  allow?: string;
  rules?: Partial<EgressRules>;
  ca?: string;
  connect?: ConnectTcp;
  dnsBudgetMs?: number;
  maxCalls?: number;
  /** Monotonic ms, for circuits. */
  now?: () => number;
  canRecord?: (open: number) => boolean;
}

/** A forwarder on a port of its own, with a vault and a DNS server that the test commands. */
export class Rig {
  readonly vault: FakeVault;
  readonly dns: DnsStub;
  readonly plane: DataPlane;
  readonly metrics: CallMetrics;
  /** Reports when a test says so: `tick`. */
  readonly usage: UsageRecorder;
  /** What was reported. */
  readonly reports: UsageBatch[];
  readonly port: number;
  /** Everything that was logged. */
  readonly lines: string[];
  readonly machineId = newId('mch');
  readonly owner: OwnerCaller;
  readonly #signer = new ServiceTokenSigner('gateway', SECRET);
  readonly #stop: () => Promise<void>;

  private constructor(parts: {
    vault: FakeVault;
    dns: DnsStub;
    plane: DataPlane;
    metrics: CallMetrics;
    usage: UsageRecorder;
    reports: UsageBatch[];
    port: number;
    lines: string[];
    stop: () => Promise<void>;
  }) {
    this.vault = parts.vault;
    this.dns = parts.dns;
    this.plane = parts.plane;
    this.metrics = parts.metrics;
    this.usage = parts.usage;
    this.reports = parts.reports;
    this.port = parts.port;
    this.lines = parts.lines;
    this.#stop = parts.stop;
    this.owner = {
      kind: 'owner',
      machine_id: this.machineId,
      slug: SLUG,
      key_id: newId('key'),
      scope: 'owner',
    };
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const { allow = '127.0.0.1', connect: dial = systemConnect, maxCalls = 5_000 } = options;
    const lines: string[] = [];
    const sink = { write: (line: string) => lines.push(line) };
    const log = buildLogger('forwarder', 'trace', sink);
    const [vault, dns] = [new FakeVault(), new DnsStub()];
    const [url, dnsServer] = await Promise.all([vault.open(), dns.open()]);
    const recipient = new LeaseRecipient();
    const signer = new ServiceTokenSigner('forwarder', SECRET, { lease_key: recipient.publicKey });
    const token = () => signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous');
    const feed = new VaultFeed({ url, token, log });
    const client = new VaultClient(url, token);
    const plane = buildDataPlane({
      vault: client,
      feed,
      recipient,
      rules: egressRules({ allow: parseEgressAllow(allow), ...options.rules }),
      resolver: new NameResolver({ servers: [dnsServer], budgetMs: options.dnsBudgetMs ?? 2_000 }),
      secureContext: buildSecureContext(options.ca),
      connect: dial,
      maxCalls,
      canRecord: options.canRecord ?? (() => true),
      ...(options.now && { now: options.now }),
      log,
    });
    const metrics = new CallMetrics();
    const reports: UsageBatch[] = [];
    const reported = async (batch: UsageBatch) => {
      reports.push(batch);
      return 'taken' as const;
    };
    const usage = new UsageRecorder({ sink: { reportUsage: reported }, instance: 'i'.repeat(22), log });
    const server = buildForwarder({
      ...plane,
      usage,
      verifier: new ServiceTokenVerifier('forwarder', [SECRET]),
      metrics,
      registry: buildMetrics('forwarder'),
      accessLog: new AccessLog('forwarder', sink, log),
      log,
      notReady: () => (feed.isFresh() ? [] : ['byok-vault']),
    });
    const fresh = new Promise((resolve) => feed.once('reset', () => resolve(undefined)));
    feed.start();
    await Promise.all([once(server.listen(0, '127.0.0.1'), 'listening'), fresh]);
    const stop = async () => {
      server.close();
      await plane.live.drain(0);
      await plane.close();
      server.closeAllConnections();
      await feed.stop();
      await client.close();
      await Promise.all([vault.close(), dns.close()]);
    };
    const { port } = server.address() as AddressInfo;
    return new Rig({ vault, dns, plane, metrics, usage, reports, port, lines, stop });
  }

  /** Registers an API of this rig's machine. @returns Its id. */
  register(api: Omit<FakeApi, 'machine_id' | 'slug'>): string {
    return this.vault.register({ auth: BEARER, ...api, machine_id: this.machineId, slug: SLUG });
  }

  app(apiIds: string[], scope: Partial<AppCaller> = {}): AppCaller {
    return {
      kind: 'app',
      machine_id: this.machineId,
      slug: SLUG,
      token_id: newId('tok'),
      api_ids: apiIds,
      allowed_methods: null,
      allowed_path_prefixes: null,
      rate_limit_per_min: null,
      ...scope,
    };
  }

  token(caller: Caller = this.owner): string {
    return this.#signer.sign('forwarder', caller, JSON.stringify(caller));
  }

  /** The address of a forwarded path. */
  url(apiId: string, rest: string): string {
    return `http://127.0.0.1:${this.port}/api/zeq/apis/${SLUG}/${apiId}/forward${rest}`;
  }

  fetch(apiId: string, rest: string, init: RequestInit = {}, caller: Caller = this.owner): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('x-zeq-service', this.token(caller));
    return fetch(this.url(apiId, rest), { redirect: 'manual', ...init, headers });
  }

  /** Sends bytes as they are and reads until the connection ends, or until `enough` says so. */
  async raw(text: string | Buffer, enough: (answer: string) => boolean = () => false): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) {
      answer += (chunk as Buffer).toString('latin1');
      if (enough(answer)) break;
    }
    socket.destroy();
    return answer;
  }

  /** A request head for `raw`. */
  head(
    method: string,
    apiId: string,
    rest: string,
    headers: readonly string[] = [],
    caller: Caller = this.owner,
  ): string {
    const lines = [
      `${method} /api/zeq/apis/${SLUG}/${apiId}/forward${rest} HTTP/1.1`,
      'Host: mesh',
      `x-zeq-service: ${this.token(caller)}`,
      ...headers,
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Listens on a free port of loopback. */
export async function listenOn(
  server: Pick<Server, 'listen' | 'address'> & NodeJS.EventEmitter,
  host = '127.0.0.1',
) {
  await once(server.listen(0, host) as never, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Waits until something holds, a few milliseconds at a time. @throws after ten seconds. */
export async function until(holds: () => boolean, what = 'the condition'): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not come to hold`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
