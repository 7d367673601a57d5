import { readFileSync } from 'node:fs';
import { type AuditHead, type AuditPage, createClient, type Tick } from '../src/index.ts';
import { openCli } from './kit/cli.ts';
import { fakeMesh, json } from './kit/fake-mesh.ts';
import { serve } from './kit/mesh-server.ts';

interface Vectors {
  answer: AuditPage;
  tick: Tick;
  heads: AuditHead[];
  consistency: { first: number; second: number; path: string[] }[];
}
const { answer, tick, heads, consistency }: Vectors = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/audit.json', import.meta.url), 'utf8'),
);
const CHAIN = `/sync/chain?from_zeqond=${answer.head.zeqond}&limit=20`;

/** A mesh whose chain gives these ticks, one answer after another. */
function setup(...chains: object[][]) {
  const rest = [...chains];
  const mesh = fakeMesh({
    [`GET ${CHAIN}`]: () => json({ ticks: rest.length > 1 ? rest.shift() : (rest[0] ?? []) }),
  });
  const client = createClient({ url: 'http://mesh.example', key: 'zsm_x', slug: 'alice', fetch: mesh.fetch });
  return { client, arrivals: mesh.arrivals };
}
const sound = answer.entries.map(() => undefined);

describe('audit.check', () => {
  it('finds nothing wrong with what the log holds and a tick binds', async () => {
    const { client, arrivals } = setup([tick]);

    const verdict = await client.audit.check(answer, {
      publicKey: tick.tesc!.public_key,
      uid: tick.tesc!.uid,
    });

    expect(verdict).toEqual({ entries: sound, head: undefined, tick });
    expect(arrivals.map(({ headers }) => headers.get('authorization'))).toEqual([null]); // the chain is public
  });

  it('waits for a tick that has yet to come', async () => {
    const { client, arrivals } = setup([], [], [tick]);

    expect((await client.audit.check(answer)).head).toBeUndefined();
    expect(arrivals).toHaveLength(3);
  });

  it('says what is wrong with the head', async () => {
    const headOf = async (page: AuditPage, ticks: object[], pinned = {}) =>
      (await setup(ticks).client.audit.check(page, pinned)).head;
    const { tesc: _tesc, ...plain } = tick;
    const others = Array.from({ length: 20 }, () => ({ ...tick, bound: 'a'.repeat(64) }));

    expect(await headOf({ ...answer, head: { ...answer.head, zeqond: null } }, [tick])).toBe('unattested');
    expect(await headOf(answer, others)).toBe('unbound');
    expect(await headOf(answer, [{ ...tick, connections: 4 }])).toBe('signature');
    expect(await headOf(answer, [tick], { publicKey: '0'.repeat(64) })).toBe('foreign');
    expect(await headOf(answer, [tick], { uid: 'another' })).toBe('foreign');
    expect(await headOf(answer, [plain, tick])).toBe('unbound');
  });

  it('says which entry is wrong, and how', async () => {
    const faultsOf = async (page: AuditPage) => (await setup([tick]).client.audit.check(page)).entries;
    const entries = structuredClone(answer.entries);
    const calls = entries.filter((entry) => entry.kind === 'call');
    calls[1]!.call.status = 500;

    expect(await faultsOf({ ...answer, entries })).toEqual(
      entries.map((entry) => (entry === calls[1] ? 'page' : undefined)),
    );
    expect(await faultsOf({ ...answer, api_id: `api_${'C'.repeat(22)}` })).toEqual(
      answer.entries.map((entry) => (entry.kind === 'call' || entry.change.api_ids ? 'foreign' : undefined)),
    );
    const withoutSecond = answer.entries.filter((entry) => entry.kind !== 'call' || entry.number !== 2);
    expect(await faultsOf({ ...answer, entries: withoutSecond })).toEqual(
      withoutSecond.map((entry) => (entry.kind === 'call' && entry.number === 3 ? 'gap' : undefined)),
    );
    const { entries: afterAPage } = await setup([tick]).client.audit.check(answer, { lastCall: 1 });
    expect(afterAPage).toEqual(
      answer.entries.map((entry) => (entry.kind === 'call' && entry.number === 1 ? 'gap' : undefined)),
    );
  });
});

describe('audit.growthSince', () => {
  it('tells a log that grew from one that was rewritten', async () => {
    const { path } = consistency.find(({ first, second }) => first === 3 && second === 7)!;
    const mesh = fakeMesh({ 'GET /api/zeq/audit/head?since=3': () => json({ head: answer.head, path }) });
    const { audit } = createClient({ url: 'http://mesh.example', key: 'zsm_x', fetch: mesh.fetch });

    expect(await audit.growthSince(heads[3]!)).toEqual({ head: answer.head, isGrown: true });
    expect((await audit.growthSince({ ...heads[3]!, root: heads[4]!.root })).isGrown).toBe(false);
  });
});

describe('zeq audit', () => {
  /** A mesh that shows this record; its log stands where the test says. */
  async function openAudited(record: AuditPage) {
    const log = { head: answer.head, paths: new Map<number, string[]>() };
    const routes: Record<string, () => Response> = {
      'GET /api/zeq/apis/alice/openai/audit?limit=500': () => json(record),
      'GET /api/zeq/audit/head': () => json({ head: log.head, path: null }),
      [`GET ${CHAIN}`]: () => json({ ticks: [tick] }),
    };
    for (const { first, second, path } of consistency)
      if (second === 7)
        routes[`GET /api/zeq/audit/head?since=${first}`] = () =>
          json({ head: log.head, path: log.paths.get(first) ?? path });
    const [served, cli] = [await serve(fakeMesh(routes).fetch), await openCli()];
    const env = { ZEQ_URL: served.url, ZEQ_KEY: `zsm_${'x'.repeat(43)}`, ZEQ_SLUG: 'alice' };
    return {
      log,
      run: (...words: string[]) => cli.zeq(['audit', 'openai', ...words], { env }),
      close: () => Promise.all([served.close(), cli.close()]),
    };
  }

  it('shows the record and that it holds, and remembers the log', async () => {
    const { run, close } = await openAudited(answer);

    const [first, second] = [await run(), await run()];

    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(/1 .* api registered .* holds\n/);
    expect(first.stdout).toMatch(/POST \/v1\/chat\/completions 429 .* holds\n/);
    expect(first.stdout).toContain('7 leaves, remembered from now on');
    expect([second.code, second.stdout.includes('only grew since it was last seen')]).toEqual([0, true]);
    await close();
  });

  it('ends with 6 when an entry does not hold, and says which', async () => {
    const entries = structuredClone(answer.entries);
    const call = entries.find((entry) => entry.kind === 'call')!;
    call.call.path = '/other';
    const { run, close } = await openAudited({ ...answer, entries });

    const { code, stdout } = await run();

    expect(code).toBe(6);
    expect(stdout).toContain('DOES NOT HOLD: page');
    expect(stdout).toMatch(/not verified +1/);
    await close();
  });

  it('ends with 6 when the log was rewritten or cut since it was last seen, until it is told to forget that', async () => {
    const { log, run, close } = await openAudited(answer);
    await run();

    log.head = { ...answer.head, root: 'b'.repeat(64) };
    const rewritten = await run('--json');
    log.head = { ...heads[3]!, zeqond: null };
    const cut = await run();
    log.head = answer.head;
    const back = await run();
    log.head = { ...heads[3]!, zeqond: null };
    const forgotten = await run('--forget-head');

    expect([rewritten.code, JSON.parse(rewritten.stdout).log.only_grew]).toEqual([6, false]);
    expect([cut.code, cut.stdout.includes('WAS REWRITTEN OR CUT')]).toEqual([6, true]);
    expect([back.code, forgotten.code]).toEqual([0, 0]);
    await close();
  });
});
