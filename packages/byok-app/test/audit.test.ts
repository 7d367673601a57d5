import type { ActivityEntry, AuditChangeLeaf, AuditEntry, AuditPage } from '@zeq/contracts';
import type { Tick } from '@zeq/crypto/web';
import { faultWords } from '../src/audit/fault.ts';
import { beginOf, recordRangeOf } from '../src/audit/ranges.ts';
import { type CallSource, verifyCall } from '../src/audit/verify-call.ts';
import { type RecordSource, verifyRecord } from '../src/audit/verify-record.ts';
import { actorOf, changeWords, namesOf } from '../src/audit/words.ts';
import { API, MadeUpLog, newSigner, shownCall } from './kit/made-up-log.ts';

const someLog = () => new MadeUpLog().addChange().addCalls(1, 2, 3).addChange().addCalls(4, 5);

/** A mesh that answers at once, from its log; a test gives it other answers. */
function sourceOf(log: MadeUpLog, part: Partial<CallSource & RecordSource> = {}): CallSource & RecordSource {
  const ticks = [log.tick()];
  return {
    record: async (number) => log.page(Number(number)),
    growth: async (since) => log.growth(since),
    ticksAfter: async () => ticks,
    latestTicks: async () => [],
    knownKey: () => undefined,
    wait: async () => undefined,
    ...part,
  };
}

type CallEntry = AuditEntry & { kind: 'call' };

/** The answer about a call, changed on its way. */
const altered =
  (log: MadeUpLog, alter: (entry: CallEntry, page: AuditPage) => unknown): CallSource['record'] =>
  async (number) => {
    const page = log.page(Number(number));
    alter(page.entries[0] as CallEntry, page);
    return page;
  };

/** Answers one after the other; the last one stays. */
function inTurn<T>(...answers: T[]): () => Promise<T> {
  let at = 0;
  return async () => answers[Math.min(at++, answers.length - 1)]!;
}

const stepOf = (verdict: { state: string; fault?: { step: string } }) => verdict.fault?.step ?? verdict.state;

describe('a call', () => {
  it('is verified, with its place and the tick that binds the log', async () => {
    const log = someLog();
    const verdict = await verifyCall(shownCall(2), API, sourceOf(log));

    expect(verdict).toMatchObject({ state: 'verified', entry: { number: 2, leaf: 1 }, head: { size: 4 } });
    expect(verdict.state === 'verified' && verdict.tick.bound).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is waited for, and so is its tick', async () => {
    const log = someLog();
    let waits = 0;
    const source = sourceOf(log, {
      record: inTurn(undefined, undefined, log.page(5)),
      ticksAfter: inTurn<Tick[]>([], [log.tick()]),
      wait: async () => void waits++,
    });

    expect([stepOf(await verifyCall(shownCall(5), API, source)), waits]).toEqual(['verified', 3]);
  });

  it('that is young may come yet; one that is old is missing', async () => {
    const none = sourceOf(someLog(), { record: async () => undefined });
    const young = { ...shownCall(5), at: new Date().toISOString() };

    expect(stepOf(await verifyCall(young, API, none))).toBe('waiting');
    expect(stepOf(await verifyCall({ ...young, at: '2026-01-01T00:00:00.000Z' }, API, none))).toBe('missing');
  });

  it.each<[string, string, (entry: CallEntry, page: AuditPage) => unknown]>([
    ['its path to the root', 'shape', ({ path }) => path.push('no hex')],
    ['everything', 'shape', (_, page) => page.entries.pop()],
    ['its status', 'page', ({ call }) => Object.assign(call, { status: 418 })],
    ['its path', 'page', ({ call }) => Object.assign(call, { path: '/v1/other' })],
    ['its number', 'page', (entry) => Object.assign(entry, { number: 4 })],
    ['the API of its batch', 'log', ({ page }) => Object.assign(page, { api_id: 'api_other' })],
    ['its place', 'log', (entry) => Object.assign(entry, { leaf: 2 })],
    ['the root', 'log', (_, { head }) => Object.assign(head, { root: '0'.repeat(64) })],
    ['the size', 'log', (_, { head }) => Object.assign(head, { size: 5 })],
  ])('fails when %s was altered on the way', async (_what, step, alter) => {
    const log = someLog();
    const source = sourceOf(log, { record: altered(log, alter) });

    expect(stepOf(await verifyCall(shownCall(3), API, source))).toBe(step);
  });

  it.each<[string, Partial<ActivityEntry>]>([
    ['number', { id: '4' }],
    ['path', { path: '/v1/harmless' }],
    ['status', { status: null }],
    ['caller', { caller: { ...shownCall(3).caller, id: 'tok_other' } }],
    ['who said no', { said_no: 'mesh' }],
    ['request', { request_id: 'other' }],
  ])('fails when another %s is shown than was recorded', async (name, part) => {
    const log = someLog();
    const source = sourceOf(log, { record: async () => log.page(3) });
    const verdict = await verifyCall({ ...shownCall(3), ...part }, API, source);

    expect(verdict).toEqual({ state: 'failed', fault: { step: 'differs', of: name } });
  });

  it('of another API does not pass for one of this', async () => {
    expect(stepOf(await verifyCall(shownCall(3), 'api_other', sourceOf(someLog())))).toBe('other');
  });
});

describe('the clock', () => {
  it('has to have signed the tick, under the key that is known', async () => {
    const log = someLog();
    const tick = log.tick();
    const forged = { ...tick, tesc: { ...tick.tesc, sig: '0'.repeat(128) } };
    const foreign = log.tick(log.head(), newSigner());
    const knownKey = () => tick.tesc.public_key;
    const check = async (part: Partial<CallSource>) =>
      stepOf(await verifyCall(shownCall(1), API, sourceOf(log, part)));

    expect(await check({ ticksAfter: async () => [forged] })).toBe('signature');
    expect(await check({ ticksAfter: async () => [foreign], knownKey })).toBe('key');
    expect(await check({ ticksAfter: async () => [tick], knownKey })).toBe('verified');
  });

  it('that bound a later log instead is asked about that one; if it binds others only, the log is not the one', async () => {
    const log = someLog();
    const other = someLog().head();
    const others = [log.tick(other), log.tick(other), log.tick(other)];
    const once = inTurn<Tick[]>(others, [log.tick()]);

    expect(stepOf(await verifyCall(shownCall(1), API, sourceOf(log, { ticksAfter: once })))).toBe('verified');
    expect(
      stepOf(await verifyCall(shownCall(1), API, sourceOf(log, { ticksAfter: async () => others }))),
    ).toBe('head');
  });

  it('that has not come so far is waited for, for some seconds', async () => {
    let waits = 0;
    const source = sourceOf(someLog(), { ticksAfter: async () => [], wait: async () => void waits++ });

    expect(stepOf(await verifyCall(shownCall(1), API, source))).toBe('waiting');
    expect(waits).toBeLessThan(20);
  });

  it('that there is none of vouches for nothing; one that binds a log is no excuse', async () => {
    const log = someLog();
    const record = altered(log, (_, { head }) => Object.assign(head, { zeqond: null }));
    const binding = [log.tick()];

    expect(stepOf(await verifyCall(shownCall(1), API, sourceOf(log, { record })))).toBe('unvouched');
    expect(
      stepOf(
        await verifyCall(shownCall(1), API, sourceOf(log, { record, latestTicks: async () => binding })),
      ),
    ).toBe('head');
  });
});

describe('all that is shown', () => {
  it('is verified over several pages, each with a head of its own, and followed to the log of now', async () => {
    const log = new MadeUpLog().addChange().addCalls(1, 2, 3);
    const first = log.page();
    log.addChange().addCalls(4, 5);
    const all = log.page();
    const second = { ...all, entries: all.entries.slice(first.entries.length) };
    log.addCalls(6);
    const verdict = await verifyRecord([first, second], API, first.head, sourceOf(log));

    expect(verdict).toMatchObject({ state: 'verified', head: { size: 5 }, since: { size: 2 } });
    expect(verdict.growth?.map(({ from }) => from.size)).toEqual([2, 4]);
  });

  it('shows a call that was left out, one out of order, and one that was altered', async () => {
    const log = someLog();
    const [change, one, two, three, ...rest] = log.page().entries as [
      AuditEntry,
      CallEntry,
      CallEntry,
      CallEntry,
    ];
    const check = async (entries: AuditEntry[]) => {
      const { faults } = await verifyRecord([{ ...log.page(), entries }], API, undefined, sourceOf(log));
      return [...faults];
    };

    expect(await check([change, one, three, ...rest])).toEqual([['1.3', { step: 'gap', of: '2' }]]);
    expect(await check([change, two, one])).toEqual([['1.1', { step: 'order' }]]);
    expect(await check([one, two, three, change])).toEqual([['0', { step: 'order' }]]);
    expect(await check([one, { ...two, call: { ...two.call, bytes_in: 1 } }])).toEqual([
      ['1.2', { step: 'page' }],
    ]);
  });

  it('is refused where a leaf of another kind, or of another API, is shown for one of this', async () => {
    const log = someLog().addChange({ api_ids: ['api_other'] });
    const page = log.page();
    const { page: calls, leaf, path, recorded_at } = page.entries[1] as CallEntry;
    const posing = { kind: 'change', change: calls, leaf, path, recorded_at } as unknown as AuditEntry;
    const check = async (entries: AuditEntry[]) =>
      stepOf(await verifyRecord([{ ...page, entries }], API, undefined, sourceOf(log)));

    expect(await check([posing])).toBe('other');
    expect(await check([page.entries.at(-1)!])).toBe('other');
  });

  it('is refused when the log was rewritten, or cut, since it was remembered', async () => {
    const log = someLog();
    const remembered = someLog().head(); // the changes of another log have other ids
    const longer = { ...log.head(), size: 9 };
    const check = async (head: typeof remembered) =>
      stepOf(await verifyRecord([log.page()], API, head, sourceOf(log)));

    expect([await check(remembered), await check(longer)]).toEqual(['history', 'history']);
    expect(await check(log.head())).toBe('verified');
  });

  it('waits when the log never stands still between two questions', async () => {
    const log = someLog();
    const first = log.page();
    const second = { ...first, entries: [], head: log.addCalls(6).head() };
    const growth = async (since: number) => log.addCalls(7).growth(since);

    expect(stepOf(await verifyRecord([first, second], API, undefined, sourceOf(log, { growth })))).toBe(
      'waiting',
    );
  });
});

describe('a change in words', () => {
  const change = (part: Partial<AuditChangeLeaf>): AuditChangeLeaf => ({
    v: 1,
    kind: 'change',
    id: '0'.repeat(32),
    at: '2026-03-04T05:06:07.000Z',
    what: 'api_changed',
    machine_id: 'mch_1',
    api_ids: ['api_1'],
    subject_id: 'tok_1',
    by: { kind: 'owner', id: 'key_1' },
    details: {},
    ...part,
  });
  const names = namesOf([
    { id: 'key_1', name: 'laptop', prefix: 'zsm_1' },
    { id: 'tok_1', name: '', prefix: 'zat_1' },
  ]);

  it.each<[Partial<AuditChangeLeaf>, string, string]>([
    [
      { what: 'api_registered', details: { base_origin: 'https://a.example', credential: 'stored' } },
      'Registered',
      'https://a.example, with a key',
    ],
    [
      { details: { changed: ['policy', 'rate_limit_per_min'], credential: 'kept' } },
      'Settings changed',
      'policy, limit',
    ],
    [{ details: { changed: [], credential: 'replaced' } }, 'Key replaced', ''],
    [
      { details: { changed: ['base_url'], base_origin: 'https://b.example', credential: 'dropped' } },
      'Key dropped',
      'address · now https://b.example',
    ],
    [
      { what: 'token_minted', details: { prefix: 'zat_1', expires_at: '2027-01-02T00:00:00.000Z' } },
      'Token made',
      'zat_1… · ends 2027-01-02',
    ],
    [{ what: 'key_revoked', subject_id: 'key_gone' }, 'Machine key revoked', ''],
    [
      { what: 'salt_rotated', details: { rows_done: 3, rows_failed: 1 } },
      'Salt rotated',
      '3 keys encrypted anew · 1 failed',
    ],
    [{ what: 'rotation_finished', details: { rows_failed: 0 } }, 'Master key: rotation finished', ''],
  ])('%j', (part, title, detail) => {
    expect(changeWords(change(part), names)).toEqual({ title, detail });
  });

  it('says who did it, also when their key is gone', () => {
    const by = (kind: AuditChangeLeaf['by']['kind'], id: string | null) =>
      actorOf(change({ by: { kind, id } }), names);

    expect([by('owner', 'key_1'), by('owner', 'key_2'), by('operator', null), by('mesh', null)]).toEqual([
      'laptop',
      'a revoked key',
      'the operator',
      'the mesh',
    ]);
    expect(actorOf(change({}), undefined)).toBe('a machine key'); // the names have not come yet
  });
});

describe('the rest', () => {
  it('begins where a range does, and at the very beginning without one', () => {
    const now = Date.parse('2026-03-04T00:00:00Z');

    expect(beginOf(recordRangeOf('24h'), now)).toEqual({ from: '2026-03-03T00:00:00.000Z' });
    expect([beginOf(recordRangeOf('all'), now), recordRangeOf('x').id]).toEqual([{}, '7d']);
  });

  it('says what failed as a sentence', () => {
    expect(faultWords({ step: 'gap', of: '2 to 4' })).toBe('Calls are missing in front of it: 2 to 4.');
    expect(faultWords({ step: 'order' })).toBe('It stands out of order.');
  });
});
