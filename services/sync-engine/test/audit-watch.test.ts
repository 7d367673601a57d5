import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AuditHead } from '@zeq/contracts';
import { type AttestedTick, auditHeadDigest, checkTick, ZEQOND_MS } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import { AuditWatch, closeLogAt } from '../src/audit-watch.ts';
import { buildSyncEngine } from '../src/sync-engine.ts';
import { SharedChain, testSigner } from './memory-chain.ts';
import { SimulatedTime } from './simulated-time.ts';

const log = buildLogger('test', 'silent');
const headOf = (size: number): AuditHead => ({ size, root: `${size}`.padStart(64, '0'), zeqond: 1 });
const digestOf = (size: number) =>
  auditHeadDigest(size, Buffer.from(headOf(size).root, 'hex')).toString('hex');

/** A clock over a log that answers as the test says. */
async function setup({ attests = true } = {}) {
  const time = new SimulatedTime();
  const chain = new SharedChain(time.monotonicMs);
  const asked: number[] = [];
  const vault = { size: 1, isAway: false };
  const sync = buildSyncEngine({
    time,
    log,
    attesting: attests ? { signer: testSigner(), store: chain.open() } : undefined,
    holder: 'one',
    async closeLog(zeqond) {
      asked.push(zeqond);
      if (vault.isAway) throw new Error('away');
      return headOf(vault.size);
    },
  });
  await sync.start();
  const failures = async () => (await sync.metrics.auditFailures.get()).values[0]?.value ?? 0;
  return { time, chain, sync, vault, asked, failures };
}

const boundIn = (ticks: readonly AttestedTick[]) => ticks.map(({ bound }) => bound);

describe('ticks', () => {
  it('bind the head of the audit log that was asked for in the Zeqond before', async () => {
    const { time, chain, sync, vault, asked } = await setup();

    await time.pass(2.9 * ZEQOND_MS);
    vault.size = 5;
    await time.pass(2 * ZEQOND_MS);
    await sync.stop();

    const bound = boundIn(chain.ticks);
    expect(bound.slice(0, 3)).toEqual([undefined, digestOf(1), digestOf(1)]);
    expect(bound.at(-1)).toBe(digestOf(5));
    expect(chain.ticks.map((tick) => checkTick(tick))).toEqual(chain.ticks.map(() => undefined));
    expect(asked.slice(0, 3)).toEqual(chain.ticks.slice(0, 3).map(({ zeqond }) => zeqond));
  });

  it('go on binding it for five seconds while the vault is away, and then bind nothing until it is back', async () => {
    const { time, chain, sync, vault, failures } = await setup();
    await time.pass(3 * ZEQOND_MS);
    const before = chain.ticks.length;

    vault.isAway = true;
    await time.pass(12 * ZEQOND_MS);
    const during = boundIn(chain.ticks).slice(before);
    vault.isAway = false;
    await time.pass(2 * ZEQOND_MS);
    await sync.stop();

    const lost = during.indexOf(undefined);
    expect(lost).toBeGreaterThanOrEqual(5);
    expect(lost).toBeLessThanOrEqual(7);
    expect(during.slice(lost).every((bound) => bound === undefined)).toBe(true);
    expect(chain.ticks.at(-1)!.bound).toBe(digestOf(1));
    expect(await failures()).toBeGreaterThan(9);
  });

  it('come on their borders while the vault does not answer at all', async () => {
    const time = new SimulatedTime();
    const chain = new SharedChain(time.monotonicMs);
    const attesting = { signer: testSigner(), store: chain.open() };
    const closeLog = () => new Promise<never>(() => undefined);
    const sync = buildSyncEngine({ time, log, attesting, holder: 'one', closeLog });
    await sync.start();

    await time.pass(20 * ZEQOND_MS);
    await sync.stop();

    expect(chain.ticks).toHaveLength(20);
    expect(boundIn(chain.ticks).filter((bound) => bound !== undefined)).toEqual([]);
  });

  it('that attest nothing ask for nothing', async () => {
    const { time, sync, asked } = await setup({ attests: false });
    await time.pass(3 * ZEQOND_MS);
    await sync.stop();

    expect(asked).toEqual([]);
  });
});

describe('the question to the vault', () => {
  it('carries the Zeqond and a service token, and takes nothing for an answer but a head', async () => {
    const requests: unknown[] = [];
    const answers: [number, string][] = [
      [200, JSON.stringify(headOf(3))],
      [200, '{"size":-1}'],
      [503, '{}'],
    ];
    const server = createServer((req, res) => {
      let body = '';
      req.on('data', (part) => {
        body += part;
      });
      req.on('end', () => {
        requests.push([req.method, req.url, req.headers['x-zeq-service'], body]);
        const [status, text] = answers.shift()!;
        res.writeHead(status).end(text);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ask = closeLogAt(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      () => 'a token',
      2_000,
    );

    expect(await ask(7)).toEqual(headOf(3));
    await expect(ask(8)).rejects.toThrow();
    await expect(ask(9)).rejects.toThrow('the vault answered 503');
    expect(requests[0]).toEqual(['POST', '/internal/audit/close', 'a token', '{"zeqond":7}']);
    server.closeAllConnections();
    server.close();
  });

  it('is asked once at a time', async () => {
    let asked = 0;
    let answer: (head: AuditHead) => void = () => undefined;
    const watch = new AuditWatch({
      time: new SimulatedTime(),
      log,
      closeLog: () => {
        asked += 1;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
      onFailure: () => undefined,
    });

    const first = watch.ask();
    await watch.ask();
    answer(headOf(2));
    await first;

    expect(asked).toBe(1);
    expect(watch.bound?.toString('hex')).toBe(digestOf(2));
  });
});
