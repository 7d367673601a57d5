import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { IdentifyRequest, type ServiceClaims, type ServiceName } from '@zeq/contracts';
import { ServiceTokenVerifier } from '@zeq/service-kit';
import type { Register } from './people.ts';

export const INTERNAL_SECRET = 'i'.repeat(40);

/** One whole request that a stub has seen. */
export interface Seen {
  method: string;
  url: string;
  rawHeaders: string[];
  headers: IncomingMessage['headers'];
  body: string;
  claims: ServiceClaims | undefined;
}

/** A service behind the gateway: real sockets, the real token check, answers given by the test. */
export class StubService {
  readonly server: Server;
  readonly seen: Seen[] = [];
  /** Takes over before the body is read; undefined: every request is answered with what was seen of it. */
  answer: RequestListener | undefined;
  url = '';
  readonly #verifier: ServiceTokenVerifier;

  constructor(name: ServiceName) {
    this.#verifier = new ServiceTokenVerifier(name, [INTERNAL_SECRET]);
    this.server = createServer((req, res) => this.#receive(req, res));
    this.server.keepAliveTimeout = 75_000;
  }

  async start(path?: string): Promise<this> {
    if (path === undefined) this.server.listen(0, '127.0.0.1');
    else this.server.listen(path);
    await once(this.server, 'listening');
    this.url =
      path === undefined ? `http://127.0.0.1:${(this.server.address() as AddressInfo).port}` : `unix:${path}`;
    return this;
  }

  onUpgrade(handle: (req: IncomingMessage, socket: Socket, head: Buffer) => void): void {
    this.server.on('upgrade', handle);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  claims(req: IncomingMessage): ServiceClaims | undefined {
    const token = req.headers['x-zeq-service'];
    return this.#verifier.verify(typeof token === 'string' ? token : undefined, ['gateway']);
  }

  #receive(req: IncomingMessage, res: ServerResponse): void {
    if (this.answer !== undefined && req.url !== '/internal/identify') {
      this.answer(req, res);
      return;
    }
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('error', () => undefined); // the gateway gave up: the request was never whole
    req.on('end', () => {
      const seen = this.#note(req, Buffer.concat(chunks).toString('latin1'));
      this.reply(req, res, seen);
    });
  }

  protected reply(_req: IncomingMessage, res: ServerResponse, seen: Seen): void {
    const body = JSON.stringify({ method: seen.method, url: seen.url, body: seen.body });
    res
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  }

  #note(req: IncomingMessage, body: string): Seen {
    const { method = '', url = '', rawHeaders, headers } = req;
    const seen = { method, url, rawHeaders, headers, body, claims: this.claims(req) };
    this.seen.push(seen);
    return seen;
  }
}

/** A vault that knows the people of a register. */
export class StubVault extends StubService {
  readonly #register: Register;
  /** How often it was asked who somebody is. */
  asked = 0;

  constructor(register: Register) {
    super('byok-vault');
    this.#register = register;
  }

  protected override reply(req: IncomingMessage, res: ServerResponse, seen: Seen): void {
    if (req.url !== '/internal/identify') {
      super.reply(req, res, seen);
      return;
    }
    this.asked += 1;
    const question = IdentifyRequest.parse(JSON.parse(seen.body));
    const answer = this.#register.find('key_id' in question ? question.key_id : question.token_sha256);
    res.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(answer ?? {}));
  }
}
