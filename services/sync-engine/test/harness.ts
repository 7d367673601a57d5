import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Caller, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import {
  AccessLog,
  buildLogger,
  buildServer,
  ServiceTokenSigner,
  ServiceTokenVerifier,
  systemTime,
  type TimeSource,
} from '@zeq/service-kit';
import { buildApp } from '../src/app.ts';
import { buildSyncEngine } from '../src/sync-engine.ts';
import { ChannelSecrets } from '../src/tesc/channel-secrets.ts';
import { EmbeddedTescStore } from '../src/tesc/embedded-tesc-store.ts';
import { TESC_SOCKET_PATH, TescSockets } from '../src/tesc/socket.ts';
import { startTesc } from '../src/tesc/tesc.ts';
import { upgradeRouter } from '../src/upgrade.ts';
import { SharedChain, testSigner } from './memory-chain.ts';

const INTERNAL = 'an internal secret for tests, 32+ chars';

/** A whole engine on a port of its own, in memory but for the channels' journal. */
export async function startEngineServer({
  time = systemTime,
  secret = true,
}: {
  time?: TimeSource;
  secret?: boolean;
} = {}) {
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line) };
  const log = buildLogger('test', 'info', sink);
  const folder = await mkdtemp(join(tmpdir(), 'zeq-engine-test-'));
  const chain = new SharedChain(time.monotonicMs);
  const attesting = secret ? { signer: testSigner(), store: chain.open() } : undefined;
  const store = await EmbeddedTescStore.open(join(folder, 'channels.jsonl'));
  const secrets = new ChannelSecrets('a sync secret for tests, of 32+ characters');
  const tesc = secret ? await startTesc({ time, store, secrets, log }) : undefined;
  const sync = buildSyncEngine({ time, log, attesting, holder: 'test' });
  const verifier = new ServiceTokenVerifier('sync-engine', [INTERNAL]);
  const sockets = new TescSockets({ tesc, verifier, log });
  const accessLog = new AccessLog('sync-engine', sink, log);
  const server = buildServer(
    buildApp({ ...sync, attesting, tesc, verifier, uid: 'genesis-node', accessLog, log }),
  );
  server.on(
    'upgrade',
    upgradeRouter(
      [
        [/^\/ws$/, (req, socket, head) => sync.sockets.accept(req, socket, head)],
        [TESC_SOCKET_PATH, (req, socket, head, path) => sockets.accept(req, socket, head, path)],
      ],
      log,
    ),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await sync.start();
  return {
    ...sync,
    chain,
    lines,
    folder,
    url: urlOf(server),
    tesc,
    async close() {
      await sync.stop();
      sockets.close();
      server.closeAllConnections();
      server.close();
      await tesc?.stop();
      await rm(folder, { recursive: true });
    },
  };
}
export type EngineServer = Awaited<ReturnType<typeof startEngineServer>>;

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A machine, as the gateway speaks for it. */
export function machine(scope: 'owner' | 'forward' | 'read' = 'owner') {
  const caller: Caller = {
    kind: 'owner',
    machine_id: newId('mch'),
    slug: 'alice',
    key_id: newId('key'),
    scope,
  };
  return { [SERVICE_TOKEN_HEADER]: tokenFor(caller) };
}

export const tokenFor = (caller: Caller): string =>
  new ServiceTokenSigner('gateway', INTERNAL).sign('sync-engine', caller, JSON.stringify(caller));

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at any answer
  body: any;
}

/** One call with JSON in and out. */
export async function call(
  url: string,
  method: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** The first messages of an event stream. */
export async function readEvents(url: string, count: number, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const answer = await fetch(url, { headers, signal: stop.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of answer.body!) {
    text += decoder.decode(bytes, { stream: true });
    if ([...text.matchAll(/^data: .*\n\n/gm)].length >= count) break;
  }
  stop.abort();
  const events = [...text.matchAll(/^(?:id: (\d+)\n)?data: (.*)\n\n/gm)];
  return {
    answer,
    text,
    events: events.map(([, id, data]) => ({ id: Number(id), data: JSON.parse(data!) })),
  };
}
