import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttestedTick, attestTick } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import { openDatabase } from '../src/db/database.ts';
import { openPostgresChainStore } from '../src/store/postgres-chain-store.ts';
import { chainStoreContract } from './chain-store.contract.ts';
import { testSigner } from './memory-chain.ts';
import { scratchSchema } from './scratch-schema.ts';

const scratch = await scratchSchema();
afterAll(() => scratch.drop());
const log = buildLogger('test', 'silent');
const signer = testSigner();
const publicKey = Buffer.from(signer.publicKey);
const openAs = (uid: string) => openPostgresChainStore(openDatabase(scratch.url, log), uid, publicKey);

chainStoreContract('PostgreSQL', async () => {
  const uid = `test-${randomUUID()}`;
  return { store: await openAs(uid), again: () => openAs(uid) };
});

describe('the chain in PostgreSQL, with several engines', () => {
  async function three() {
    const uid = `test-${randomUUID()}`;
    const stores = await Promise.all([openAs(uid), openAs(uid), openAs(uid)]);
    return {
      stores,
      sign: { ...signer, uid },
      close: () => Promise.all(stores.map((store) => store.close())),
    };
  }

  it('leads one of those that ask at once, and another when the lease has run out', async () => {
    const { stores, close } = await three();
    const leases = await Promise.all(stores.map((store, i) => store.lead(`engine-${i}`, 300)));
    const leader = leases.findIndex((lease) => lease !== undefined);

    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    await sleep(350);
    expect(await stores[(leader + 1) % 3]!.lead(`engine-${(leader + 1) % 3}`, 300)).toBeDefined();
    await close();
  });

  it('refuses the append of a leader that slept through its lease, while the new one appends', async () => {
    const { stores, sign, close } = await three();
    const [a, b] = [stores[0]!, stores[1]!];
    const old = (await a.lead('a', 50))!;
    await sleep(80);
    const now = (await b.lead('b', 60_000))!;
    const facts = { timestampMs: 1_740_499_200_000, connections: 0 };
    const tick = attestTick(sign, now.head, facts);
    const rival = attestTick(sign, old.head, { ...facts, connections: 1 });

    const answers = await Promise.all([
      a.append(old, rival, 50),
      b.append(now, tick, 50),
      a.append(old, rival, 50),
    ]);

    expect(answers).toEqual([false, true, false]);
    expect(await a.read(1, 10)).toEqual([tick]);
    await close();
  });

  it('tells the other engines of each tick', async () => {
    const { stores, sign, close } = await three();
    const heard: (AttestedTick | undefined)[] = [];
    stores[1]!.onAppended((tick) => void heard.push(tick));
    while (heard.length === 0) await sleep(10); // the first call says that the connection stands
    const lease = (await stores[0]!.lead('a', 60_000))!;
    const tick = attestTick(sign, lease.head, { timestampMs: 1_740_499_200_000, connections: 0 });
    await stores[0]!.append(lease, tick, 60_000);
    while (heard.length === 1) await sleep(10);

    expect(heard).toEqual([undefined, tick]);
    await close();
  });

  it('refuses to go on under another signing key', async () => {
    const uid = `test-${randomUUID()}`;
    const store = await openAs(uid);
    const db = openDatabase(scratch.url, log);

    await expect(openPostgresChainStore(db, uid, Buffer.alloc(32))).rejects.toThrow('another key');
    await Promise.all([store.close(), db.close()]);
  });
});
