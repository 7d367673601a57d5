import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { type Change, type IdentifyAnswer, type OwnerCaller, STALE_AFTER_MS } from '@zeq/contracts';
import { type Found, Identities, type Identity, ProblemError } from '../src/index.ts';

const MACHINE = `mch_${'m'.repeat(22)}`;
const KEY_ID = `key_${'k'.repeat(22)}`;
const TOKEN_KEY = 'a'.repeat(64);
const QUESTION = { token_sha256: TOKEN_KEY };
const CALLER: OwnerCaller = {
  kind: 'owner',
  machine_id: MACHINE,
  slug: 'alice',
  key_id: KEY_ID,
  scope: 'owner',
};

/** A vault and a feed in the hand of the test, and a clock that stands still unless it is moved. */
class Rig extends EventEmitter<{ change: [Change]; reset: [] }> {
  fresh = true;
  lastHeardAt = 0;
  generation = 0;
  clock = 10_000;
  asked = 0;
  answer: IdentifyAnswer | undefined = { caller: CALLER, expires_at: null, expired: false };
  /** Runs while the question is on its way. */
  meanwhile: () => void = () => undefined;
  away = false;
  readonly identities = new Identities({
    feed: this,
    now: () => this.clock,
    identify: async () => {
      this.asked += 1;
      const answer = this.answer;
      this.meanwhile();
      if (this.away) throw new ProblemError('vault_unavailable', 'away');
      return answer;
    },
  });

  isFresh(): boolean {
    return this.fresh;
  }
  find(): Promise<Found> {
    return this.identities.find(TOKEN_KEY, QUESTION);
  }
  async identity(): Promise<Identity> {
    const found = await this.find();
    if (typeof found === 'string') throw new Error(found);
    return found;
  }
  change(what: Change['what'], id: string): void {
    this.generation += 1;
    this.emit('change', { type: 'change', seq: this.generation, what, machine_id: MACHINE, id });
  }
  reset(): void {
    this.generation += 1;
    this.emit('reset');
  }
}

describe('Identities', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  it('asks once, however many calls wait and follow', async () => {
    const [one, two] = await Promise.all([rig.find(), rig.find()]);
    await rig.find();

    expect(rig.asked).toBe(1);
    expect(one).toBe(two);
    expect(one).toMatchObject({ caller: CALLER, who: 'owner:alice' });
  });

  it('believes what it knows while the feed is heard, however old it is', async () => {
    await rig.find();
    rig.clock += 3_600_000;

    await rig.find();

    expect(rig.asked).toBe(1);
  });

  it.each([
    ['up to five seconds after it was fetched', STALE_AFTER_MS, 0, true],
    ['not later', STALE_AFTER_MS + 1, 0, false],
    ['up to five seconds after the feed was last heard', 60_000, 60_000 - STALE_AFTER_MS, true],
  ])('believes it without the feed %s', async (_when, passed, heardAfter, believed) => {
    await rig.find();
    rig.fresh = false;
    rig.lastHeardAt = rig.clock + heardAfter;
    rig.clock += passed;

    expect(rig.identities.cached(TOKEN_KEY) !== undefined).toBe(believed);
  });

  it('asks beside the calls while the feed is lost, so that a vault that is up now and then suffices', async () => {
    await rig.find();
    rig.fresh = false;
    const believed = [];
    for (const away of [true, false, true, true]) {
      rig.away = away;
      rig.clock += 2_000;
      believed.push(rig.identities.cached(TOKEN_KEY) !== undefined);
      await sleep(0); // the answer comes meanwhile
    }

    expect(believed).toEqual([true, true, true, true]); // eight seconds, one answer
    expect(rig.asked).toBe(5);
  });

  it('fails when it has to ask and the vault is away, and works again when it is back', async () => {
    rig.away = true;
    await expect(rig.find()).rejects.toMatchObject({ code: 'vault_unavailable' });
    rig.away = false;

    await expect(rig.find()).resolves.toMatchObject({ caller: CALLER });
  });

  it('ends the calls that run under an identity when it expires, and not before', async () => {
    rig.answer = { caller: CALLER, expires_at: new Date(Date.now() + 60_000).toISOString(), expired: false };
    const cut = jest.fn();
    (await rig.identity()).live.add({ slot: -1, cut });

    rig.clock += 59_000;
    rig.identities.endExpired();
    const before = cut.mock.calls.length;
    rig.clock += 1_001;
    rig.identities.endExpired();

    expect([before, cut.mock.calls.length]).toEqual([0, 1]);
  });

  it.each([
    ['the key is revoked', 'key_revoked', KEY_ID],
    ['the machine is removed', 'machine_removed', MACHINE],
  ] as const)('forgets at once, and cuts what runs, when %s', async (_why, what, id) => {
    let cut = 0;
    (await rig.identity()).live.add({ slot: -1, cut: () => (cut += 1) });
    rig.answer = undefined;

    rig.change(what, id);

    expect(cut).toBe(1);
    expect(await rig.find()).toBe('unknown');
  });

  it('is not moved by changes of APIs or of other keys', async () => {
    await rig.find();

    rig.change('api_changed', `api_${'x'.repeat(22)}`);
    rig.change('key_revoked', `key_${'x'.repeat(22)}`);
    await rig.find();

    expect(rig.asked).toBe(1);
  });

  it('uses an answer that a change may have overtaken for the one call only', async () => {
    rig.meanwhile = () => rig.change('api_changed', `api_${'x'.repeat(22)}`);
    await rig.find();
    rig.meanwhile = () => undefined;

    await rig.find();
    await rig.find();

    expect(rig.asked).toBe(2);
  });

  it('forgets everything after a gap in the feed, asks about what runs, and cuts what has ended meanwhile', async () => {
    let cut = 0;
    (await rig.identity()).live.add({ slot: -1, cut: () => (cut += 1) });
    rig.answer = undefined;

    rig.reset();
    await sleep(1);

    expect([rig.asked, cut]).toEqual([2, 1]);
  });

  it('keeps what runs, after a gap, when the vault still knows its key', async () => {
    const before = await rig.identity();
    before.live.add({ slot: -1, cut: () => expect('cut').toBe('kept') });

    rig.reset();
    await sleep(1);

    expect((await rig.identity()).live).toBe(before.live);
    expect(rig.asked).toBe(2);
  });

  it('asks again about what runs until the vault answers', async () => {
    let cut = 0;
    (await rig.identity()).live.add({ slot: -1, cut: () => (cut += 1) });
    rig.away = true;
    rig.answer = undefined;

    rig.reset();
    await sleep(1);
    rig.away = false;
    await sleep(1_100);

    expect(cut).toBe(1);
  });

  it.each([
    ['before its end', 1_000, 999, 'owner:alice'],
    ['at its end', 1_000, 1_000, 'expired'],
  ])('knows a token with an end %s, by a clock that nobody sets', async (_when, lives, passed, found) => {
    rig.answer = { caller: CALLER, expires_at: new Date(Date.now() + lives).toISOString(), expired: false };
    await rig.find();
    rig.clock += passed - 50; // the wall clock has moved on while the question was asked
    if (found === 'expired') rig.clock += 50;

    const after = await rig.find();

    expect(typeof after === 'string' ? after : after.who).toBe(found);
  });

  it('tells an expired token from an unknown one, and remembers neither', async () => {
    rig.answer = { caller: CALLER, expires_at: null, expired: true };
    const expired = await rig.find();
    rig.answer = undefined;

    expect([expired, await rig.find()]).toEqual(['expired', 'unknown']);
  });
});
