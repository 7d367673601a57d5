import '../src/patience.ts';
import { type AuditEntry, type AuditHead, createClient, type ZeqClient } from '@zeq/sdk';
import { until } from '../src/until.ts';
import { openUsageWorld, type UsageWorld } from '../src/usage-experiment.ts';

const CALLS = 200;
const AT_ONCE = 12;

let world: UsageWorld;
let client: ZeqClient;
beforeAll(async () => {
  world = await openUsageWorld(['byok-vault', 'forwarder', 'sync-engine', 'gateway']);
  client = createClient({ url: world.mesh.mesh.gateway, key: world.mesh.owner.api_key });
});
afterAll(() => world.stop());

/** The whole record of an API, every entry of it checked against the chain. */
async function readRecord(api: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page = await client.audit.of(api, { limit: 150, ...(after !== '' && { after }) });
    const verdict = await client.audit.check(page);
    expect([verdict.head, verdict.entries.filter((fault) => fault !== undefined)]).toEqual([undefined, []]);
    entries.push(...page.entries);
    after = page.next;
  }
  return entries;
}

const numbersOf = (entries: AuditEntry[]) =>
  entries.flatMap((entry) => (entry.kind === 'call' ? [entry.number] : []));

/** Until the clock has taken a head that holds everything that was counted. */
const untilTaken = async (api: 'whole' | 'cut') => {
  const { requests } = await world.usage(api);
  await until(async () => {
    const page = await client.audit.of(api, { call: String(requests) }).catch(() => undefined);
    return page !== undefined && page.head.zeqond !== null;
  }, 20_000);
};

describe('the record of a credential', () => {
  let kept: AuditHead;

  it('holds every call once, over a kill of the vault amid them, and every tick that binds it verifies', async () => {
    const running = world.calls.run(CALLS, AT_ONCE);
    await world.calls.reached(CALLS / 3);
    await world.restart('byok-vault', 'SIGKILL');
    await running;
    await world.settled();
    await Promise.all([untilTaken('whole'), untilTaken('cut')]);

    for (const api of ['whole', 'cut'] as const) {
      const { requests } = await world.usage(api);
      const numbers = numbersOf(await readRecord(api));
      expect(numbers).toEqual(Array.from({ length: requests }, (_, i) => i + 1));
    }
    kept = await client.audit.head();
  });

  it('says of refused calls who was refused, and why', async () => {
    const refused = (await readRecord('whole')).flatMap((entry) =>
      entry.kind === 'call' && entry.call.outcome === 'refused' ? [entry.call] : [],
    );

    expect(refused.length).toBe(world.calls.seen.outOfScope);
    expect(new Set(refused.map(({ code, caller_id }) => `${code} ${caller_id.slice(0, 4)}`))).toEqual(
      new Set(['out_of_scope tok_']),
    );
  });

  it('only grows, also when the forwarder is restarted, and outlives its API', async () => {
    const { id } = await client.apis.get('cut');
    const { requests } = await world.usage('cut');
    await world.restart('forwarder', 'SIGTERM');
    await client.apis.remove('cut');
    await until(async () => {
      const { entries } = await client.audit.of(id, {
        from: new Date(Date.now() - 60_000).toISOString(),
        limit: 500,
      });
      return entries.some((entry) => entry.kind === 'change' && entry.change.what === 'api_removed');
    }, 20_000);

    const entries = await readRecord(id);
    const { isGrown, head } = await client.audit.growthSince(kept);

    expect(numbersOf(entries)).toHaveLength(requests);
    expect(entries.flatMap((entry) => (entry.kind === 'change' ? [entry.change.what] : []))).toEqual(
      expect.arrayContaining(['api_registered', 'api_removed']),
    );
    expect([isGrown, head.size > kept.size]).toEqual([true, true]);
    expect((await client.audit.growthSince({ ...kept, root: '0'.repeat(64) })).isGrown).toBe(false);
  });

  it('is refused to app tokens and strangers', async () => {
    const { mesh } = world;
    const { slug } = mesh.owner;
    const { token } = await mesh.mintToken('whole');
    const stranger = await mesh.createMachine('stranger');
    const statusOf = async (who: string) =>
      (await mesh.call('GET', `/api/zeq/apis/${slug}/whole/audit`, { token: who })).status;

    expect([await statusOf(token), await statusOf(stranger.api_key)]).toEqual([403, 404]);
  });
});
