import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { HITE_CONTENT_TYPE, HITE_SESSION_HEADER, type HiteHandshakeAnswer } from '@zeq/contracts';
import {
  deriveHiteClientSession,
  type HiteClientPart,
  type HiteClientSession,
  openHiteAnswer,
  sealHiteClientRequest,
} from '@zeq/crypto/web';
import { call, type Reply } from './gateway.ts';

export const HITE_SECRET = randomBytes(32).toString('hex');

export interface Inner {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** An inner answer, as a plain one would look. */
export interface InnerReply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** A client of the channel, on WebCrypto, over real sockets. */
export class HiteClient {
  readonly url: string;
  readonly session: HiteClientSession;
  #counter = 0;

  constructor(url: string, session: HiteClientSession) {
    this.url = url;
    this.session = session;
  }

  static async begin(url: string, secret = HITE_SECRET): Promise<HiteClient> {
    const clientNonce = Uint8Array.from(randomBytes(32));
    const reply = await shakeHands(url, Buffer.from(clientNonce).toString('hex'));
    const { sessionId, serverNonce } = reply.json() as unknown as HiteHandshakeAnswer;
    const nonces = { clientNonce, serverNonce: Uint8Array.from(Buffer.from(serverNonce, 'hex')) };
    return new HiteClient(url, await deriveHiteClientSession(secret, { sessionId, ...nonces }));
  }

  /** The same session at another replica. */
  at(url: string): HiteClient {
    return new HiteClient(url, this.session);
  }

  nextCounter(): number {
    return this.#counter++;
  }

  seal({ method = 'GET', path, headers = {}, body }: Inner, counter: number): Promise<Uint8Array> {
    const inner = { method, path, headers, ...(body !== undefined && { body: base64(body) }) };
    return sealHiteClientRequest(this.session, counter, Uint8Array.from(Buffer.from(JSON.stringify(inner))));
  }

  /** A frame and its whole answer as it came. */
  send(frame: Uint8Array, headers: Record<string, string> = {}): Promise<RawReply> {
    return answered(this.post(headers).end(frame));
  }

  /** The outer request, not yet ended. */
  post(headers: Record<string, string> = {}): ClientRequest {
    return request(`${this.url}/api/hite/channel`, {
      method: 'POST',
      headers: {
        'content-type': HITE_CONTENT_TYPE,
        [HITE_SESSION_HEADER]: this.session.id,
        ...headers,
      },
      agent: false,
    });
  }

  async call(inner: Inner): Promise<InnerReply> {
    const counter = this.nextCounter();
    const reply = await this.send(await this.seal(inner, counter));
    if (reply.status !== 200) throw new Error(`the channel answered ${reply.status}: ${reply.body}`);
    return this.open(counter, [reply.body]);
  }

  async open(counter: number, chunks: Iterable<Uint8Array>): Promise<InnerReply> {
    const parts: HiteClientPart[] = [];
    for await (const part of openHiteAnswer(this.session, counter, chunks)) parts.push(part);
    const { status, headers } = JSON.parse(Buffer.from(parts[0]!.payload).toString());
    const body = Buffer.concat(parts.slice(1).map(({ payload }) => payload));
    return { status, headers: lowerCased(headers), text: body.toString() };
  }

  /** Begins a call whose answer is read part by part. */
  async stream(inner: Inner): Promise<{ parts: AsyncGenerator<HiteClientPart>; answer: IncomingMessage }> {
    const counter = this.nextCounter();
    const frame = await this.seal(inner, counter);
    const req = this.post();
    const [answer] = (await once(req.end(frame), 'response')) as [IncomingMessage];
    return { parts: openHiteAnswer(this.session, counter, answer), answer };
  }
}

export interface RawReply {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export const shakeHands = (url: string, clientNonce = randomBytes(32).toString('hex')): Promise<Reply> =>
  call(`${url}/api/hite/handshake`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientNonce }),
  });

/** The frames of an answer, each with its length in front. */
export function framesOf(wire: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < wire.length; ) {
    const end = at + 4 + wire.readUInt32BE(at);
    frames.push(wire.subarray(at, end));
    at = end;
  }
  return frames;
}

async function answered(req: ClientRequest): Promise<RawReply> {
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk);
  return { status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) };
}

const base64 = (body: string | Buffer): string => Buffer.from(body).toString('base64');

function lowerCased(pairs: [string, string][]): Record<string, string> {
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
}
