import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { jest } from '@jest/globals';
import { type Caller, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import {
  AccessLog,
  buildLogger,
  buildMetrics,
  buildServer,
  listen,
  ServiceTokenSigner,
  ServiceTokenVerifier,
} from '@zeq/service-kit';
import { buildApp } from '../../src/app.ts';
import { buildAuthenticate, type Found } from '../../src/auth/authenticate.ts';
import { loadCatalogue } from '../../src/catalogue/catalogue.ts';
import { Prover } from '../../src/compute/proof.ts';
import type { Deps } from '../../src/deps.ts';
import { Recorder } from '../../src/recorder.ts';
import { openNedb } from '../../src/store/nedb.ts';

/** Hundreds of requests in one test, on machines that may be busy. */
jest.setTimeout(60_000);

export const SECRET = 'a test secret of more than thirty-two characters';
/** Half-way between two round numbers, inside a Zeqond: phase 0.5 of Zeqond 2,000,000,000. */
export const NOON = 2_000_000_000 * 777 + 388;

export const catalogue = loadCatalogue(new URL('../../data/operators.json', import.meta.url));

export const ALICE: Caller = {
  kind: 'owner',
  machine_id: 'mch_alicealicealicealicea1',
  slug: 'alice',
  key_id: 'key_alicealicealicealicea1',
  scope: 'owner',
};
export const READER: Caller = { ...ALICE, key_id: 'key_alicealicealicealicea2', scope: 'read' };
export const BOB: Caller = {
  kind: 'owner',
  machine_id: 'mch_bobbobbobbobbobbobbob1',
  slug: 'bob',
  key_id: 'key_bobbobbobbobbobbobbob1',
  scope: 'owner',
};
export const APP: Caller = {
  kind: 'app',
  machine_id: 'mch_alicealicealicealicea1',
  slug: 'alice',
  token_id: 'tok_alicealicealicealicea1',
  api_ids: [],
  allowed_methods: null,
  allowed_path_prefixes: null,
  rate_limit_per_min: null,
};
export const PLATFORM: Caller = { kind: 'platform' };
export const ANYBODY: Caller = { kind: 'anonymous' };

export interface Answer {
  status: number;
  headers: Headers;
  /** JSON where there is any, else text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
  text: string;
}

export interface CallOptions {
  /** Through the gateway, as this caller; undefined: directly, with whatever headers are given. */
  as?: Caller | undefined;
  body?: unknown;
  /** Sent as it is. */
  rawBody?: string;
  headers?: Record<string, string>;
}

export interface Engine {
  url: string;
  logged: string[];
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** The headers by which the gateway vouches for a caller. */
  vouch: (as: Caller) => Record<string, string>;
  /** Sets the clock. */
  setNow: (nowMs: number) => void;
  deps: Deps;
  stop: () => Promise<void>;
}

/** A whole engine on port 0 with an embedded store of its own. */
export async function startEngine(
  overrides: Partial<Deps> & { known?: Record<string, Found> } = {},
): Promise<Engine> {
  const dir = mkdtempSync(join(tmpdir(), 'operator-engine-test-'));
  const logged: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  const log = buildLogger('operator-engine', 'info', sink);
  const stores = overrides.stores ?? (await openNedb(dir));
  const metrics = buildMetrics('operator-engine');
  const clock = { nowMs: NOON };
  const now = () => clock.nowMs;
  const serviceTokens = new ServiceTokenVerifier('operator-engine', [SECRET]);
  const signer = new ServiceTokenSigner('gateway', SECRET);
  const { known = {}, ...rest } = overrides;
  const deps: Deps = {
    catalogue,
    stores,
    recorder: new Recorder({
      store: stores.computations,
      metrics,
      log,
      now,
    }),
    prover: new Prover([SECRET]),
    serviceTokens,
    authenticate: buildAuthenticate({
      serviceTokens,
      session: (token) => (token === 'expired.session.token' ? 'expired' : undefined),
      find: async (question) =>
        known['token_sha256' in question ? question.token_sha256 : question.key_id] ?? 'unknown',
    }),
    metrics,
    log,
    accessLog: new AccessLog('operator-engine', sink, log),
    now,
    perMinute: 1_000_000,
    ...rest,
  };
  const server = buildServer(buildApp(deps));
  await listen(server, 0, '127.0.0.1');
  const vouch = (as: Caller) => ({
    [SERVICE_TOKEN_HEADER]: signer.sign('operator-engine', as, JSON.stringify(as)),
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    logged,
    vouch,
    deps,
    setNow: (nowMs) => {
      clock.nowMs = nowMs;
    },
    async call(method, path, { as, body, rawBody, headers = {} } = {}) {
      const sent = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
      const res = await fetch(url + path, {
        method,
        headers: {
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...(as !== undefined && vouch(as)),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      });
      const text = await res.text();
      const isJson = /json/.test(res.headers.get('content-type') ?? '');
      return {
        status: res.status,
        headers: res.headers,
        text,
        body: isJson && text !== '' ? JSON.parse(text) : text,
      };
    },
    async stop() {
      await deps.recorder.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stores.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
