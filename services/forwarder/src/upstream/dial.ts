import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { BaseUrl } from '@zeq/egress';
import type { buildConnector } from 'undici';

export interface DialOptions {
  url: BaseUrl;
  /** The checked address: the only one that is dialled. */
  address: string;
  /** For TCP and TLS together (ms). */
  timeoutMs: number;
  /** Trusted roots and protocol versions, made once for all connections. */
  secureContext: SecureContext;
  connect: ConnectTcp;
}

/** Opens a TCP connection. A test passes its own, which sees every address that is dialled. */
export type ConnectTcp = (options: TcpNetConnectOpts) => Socket;

export type DialFailure = 'connect_failed' | 'connect_timeout' | 'tls_failed';

/** A connection that did not come to be; no byte of a request has been sent. */
export class DialError extends Error {
  override name = 'DialError';
  readonly code: DialFailure;

  constructor(code: DialFailure, cause: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

const TCP_KEEP_ALIVE_MS = 30_000;
const READ_BYTES = 64 * 1024;

/** The code that a connection broken by the upstream carries here. */
export const RESET = 'UPSTREAM_RESET';

/** @param ca Roots in PEM; the runtime's own (and those of NODE_EXTRA_CA_CERTS) where it is not given. */
export const buildSecureContext = (ca?: string): SecureContext =>
  createSecureContext({ minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) });

/**
 * A connector for undici that dials one address, whatever the pool's URL says: no name is looked up and no second address
 * family raced (Node 24 does both by default). The certificate has to be for the host of the URL; no setting of the
 * environment switches that off.
 */
export function buildDial(options: DialOptions): buildConnector.connector {
  const { url, address, timeoutMs, secureContext, connect } = options;
  const target = { host: address, port: url.port, autoSelectFamily: false, highWaterMark: READ_BYTES };
  const tls = {
    secureContext,
    rejectUnauthorized: true,
    host: address, // what the certificate has to name where the URL has an address …
    ...(!url.isAddress && { servername: url.host }), // … which is never sent as a name (RFC 6066 section 3)
    ALPNProtocols: ['http/1.1'],
    highWaterMark: READ_BYTES,
  };
  let session: Buffer | undefined;
  return function dial(_options, callback) {
    const tcp = connect(target);
    if (url.scheme === 'http') return settle(tcp, tcp, 'connect', timeoutMs, callback);
    const secure = connectTls({ ...tls, socket: tcp, ...(session && { session }) });
    secure.on('session', (fresh: Buffer) => {
      session = fresh;
    });
    return settle(tcp, secure, 'secureConnect', timeoutMs, callback);
  };
}

/** Calls back once: with the connected socket, or with a DialError that says which step failed. */
function settle(
  tcp: Socket,
  socket: Socket,
  ready: 'connect' | 'secureConnect',
  timeoutMs: number,
  callback: buildConnector.Callback,
): Socket {
  let reached = false;
  let pending = true;
  const end = (err: Error | null) => {
    if (!pending) return;
    pending = false;
    clearTimeout(timer);
    if (err === null) callback(null, socket);
    else callback(err, null);
  };
  const timer = setTimeout(() => {
    end(new DialError('connect_timeout', undefined));
    socket.destroy();
  }, timeoutMs);
  tcp.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  tcp.once('connect', () => {
    reached = true;
  });
  socket.once(ready, () => end(null));
  socket.on('error', (err: NodeJS.ErrnoException) => {
    // undici takes a reset for the end of a body that has no length; under another code it is what it is: a break.
    if (err.code === 'ECONNRESET') err.code = RESET;
    end(new DialError(reached ? 'tls_failed' : 'connect_failed', err));
  });
  socket.once('close', () => end(new DialError(reached ? 'tls_failed' : 'connect_failed', undefined)));
  return socket;
}

/** The system's own. */
export const systemConnect: ConnectTcp = (options) => connectTcp(options);
