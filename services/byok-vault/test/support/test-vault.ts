import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { Caller, Machine } from '@zeq/contracts';
import { KeyRing } from '@zeq/crypto';
import { egressRules } from '@zeq/egress';
import { AccessLog, buildLogger, ServiceTokenVerifier } from '@zeq/service-kit';
import request from 'supertest';
import { buildApp } from '../../src/app.ts';
import type { Database } from '../../src/db/database.ts';
import { buildVault } from '../../src/vault.ts';
import { INTERNAL_SECRET, ownerOf, PLATFORM, serviceToken } from './callers.ts';
import { openTestEmbedded } from './embedded.ts';

export type TestVault = Awaited<ReturnType<typeof openTestVault>>;

/** A whole vault without a socket: real SQL, a ring of random keys, a log that can be searched. */
export async function openTestVault(given: { db?: Database; ring?: KeyRing; now?: () => Date } = {}) {
  const db = given.db ?? (await openTestEmbedded());
  const ring = given.ring ?? new KeyRing(randomBytes(32));
  const { log, sink, lines } = buildTestLog();
  const vault = buildVault({
    db,
    ring,
    rules: egressRules(),
    retention: { minuteDays: 2, hourDays: 62, dayDays: 730, auditDays: 90 },
    log,
    now: given.now ?? (() => new Date()),
  });
  await vault.start();
  const app = buildApp({
    ...vault,
    verifier: new ServiceTokenVerifier('byok-vault', [INTERNAL_SECRET]),
    accessLog: new AccessLog('byok-vault', sink, log),
    log,
  });
  return {
    ...vault,
    db,
    ring,
    app,
    log,
    logLines: lines,
    /** Requests of the gateway on behalf of a caller. */
    as: (caller: Caller) => agentOf(app, caller),
    /** A machine of a name of its own, with requests of its owner. */
    async newMachine(slug = `m-${randomBytes(6).toString('hex')}`) {
      const { body } = await agentOf(app, PLATFORM).post('/api/zeq/machines').send({ slug }).expect(201);
      const machine: Machine = body.machine;
      return { machine, slug, apiKey: body.api_key as string, owner: agentOf(app, ownerOf(machine)) };
    },
    async close() {
      await vault.stop();
      if (given.db === undefined) await db.close();
    },
  };
}

/** Everything that is logged, at the most verbose level. */
function buildTestLog() {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { log: buildLogger('byok-vault', 'trace', sink), sink, lines };
}

function agentOf(app: ReturnType<typeof buildApp>, caller: Caller) {
  const send = (method: 'get' | 'post' | 'patch' | 'delete') => (path: string) =>
    request(app)[method](path).set('x-zeq-service', serviceToken(caller));
  return { get: send('get'), post: send('post'), patch: send('patch'), delete: send('delete') };
}

/** A credential that occurs nowhere by chance. */
export const newCanary = (): string => `canary-${randomBytes(24).toString('base64url')}`;
