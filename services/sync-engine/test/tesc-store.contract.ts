import { randomBytes } from 'node:crypto';
import { genesisChain, newTescUid, nextChain } from '@zeq/crypto';
import {
  type ChannelKey,
  type ChannelRecord,
  MAX_CHANNELS_PER_MACHINE,
  MAX_KEPT_MESSAGES,
  MAX_MEMBERS,
  type Member,
  type MessageDraft,
  type TescStore,
} from '../src/tesc/tesc-store.ts';

const NOW = 1_740_499_200_000;
const id = (prefix: string) => `${prefix}_${randomBytes(11).toString('hex')}`;

const newChannel = (ownerId = id('mch')): ChannelRecord => ({
  id: id('tsc'),
  name: null,
  ownerId,
  createdAt: NOW,
  messageTtlSeconds: 3600,
  seed: randomBytes(32),
  salt: randomBytes(32),
});
const newKey = (version = 1, kid = '0011223344556677'): ChannelKey => ({
  version,
  sealed: { iv: randomBytes(12), ciphertext: randomBytes(60), kid },
  retiresAt: null,
});
const newMember = (machineId = id('mch')): Member => ({
  uid: newTescUid(),
  machineId,
  joinedAt: NOW,
  plat: randomBytes(32),
});
const draftOf = ({ uid, plat }: Member, changes: Partial<MessageDraft> = {}): MessageDraft => ({
  uid,
  zeqond: 2_240_024_710,
  prev: plat,
  iv: randomBytes(12),
  ciphertext: randomBytes(40),
  plat: randomBytes(32),
  keyVersion: 1,
  receivedAt: NOW,
  expiresAt: NOW + 3_600_000,
  ...changes,
});

/** What every keeper of channels guarantees. */
export function tescStoreContract(
  name: string,
  open: () => Promise<{ store: TescStore; again: () => Promise<TescStore> }>,
): void {
  describe(`channels in ${name}`, () => {
    let store: TescStore;
    let again: () => Promise<TescStore>;
    beforeEach(async () => {
      ({ store, again } = await open());
    });
    afterEach(() => store.close());

    async function withMember() {
      const channel = newChannel();
      await store.create(channel, newKey());
      const member = newMember();
      await store.join(channel.id, member);
      return { channel, member };
    }

    it('shows a new channel as it was made, and nothing for another id', async () => {
      const channel = newChannel();
      const key = newKey();

      expect(await store.create(channel, key)).toBe(true);

      const chain = genesisChain(channel.seed, channel.id);
      expect(await store.find(channel.id)).toEqual({ ...channel, keys: [key], members: [], depth: 0, chain });
      expect(await store.find(id('tsc'))).toBeUndefined();
    });

    it('lists the channels that a machine owns or joined, and no others', async () => {
      const machine = id('mch');
      const [own, joined, foreign] = [
        newChannel(machine),
        { ...newChannel(), createdAt: NOW + 1 },
        newChannel(),
      ];
      for (const channel of [own, joined, foreign]) await store.create(channel, newKey());
      await store.join(joined.id, newMember(machine));

      expect((await store.listOf(machine)).map((channel) => channel.id)).toEqual([own.id, joined.id]);
    });

    it('stops at the most channels a machine may have, also when they are made at once', async () => {
      const machine = id('mch');
      const create = () => store.create(newChannel(machine), newKey());
      for (let i = 0; i < MAX_CHANNELS_PER_MACHINE - 2; i += 1) await create();

      const last = await Promise.all(Array.from({ length: 6 }, create));

      expect(last.filter(Boolean)).toHaveLength(2);
    });

    it('lets each uid in once, and no more than a channel holds', async () => {
      const { channel, member } = await withMember();

      expect(await store.join(channel.id, member)).toBe('taken');
      for (let i = 1; i < MAX_MEMBERS; i += 1)
        expect(await store.join(channel.id, newMember())).toBe('joined');
      expect(await store.join(channel.id, newMember())).toBe('full');
      expect(await store.join(id('tsc'), newMember())).toBe('gone');
    });

    it('numbers and links messages, and gives them back from any number on', async () => {
      const { channel, member } = await withMember();
      const drafts = [draftOf(member)];
      for (let i = 1; i < 5; i += 1) drafts.push(draftOf({ ...member, plat: drafts[i - 1]!.plat }));
      let chain: Buffer = genesisChain(channel.seed, channel.id);
      const stored = drafts.map((draft, index) => {
        chain = nextChain(chain, draft.plat, draft.zeqond, draft.uid);
        return { ...draft, seq: index + 1, chain };
      });

      for (const [index, draft] of drafts.entries())
        expect(await store.append(channel.id, draft)).toEqual({ answer: 'stored', message: stored[index] });

      expect(await store.messages(channel.id, 0, 100, NOW)).toEqual(stored);
      expect(await store.messages(channel.id, 2, 2, NOW)).toEqual(stored.slice(2, 4));
      expect(await store.find(channel.id)).toMatchObject({ depth: 5, chain: stored[4]!.chain });
    });

    it('refuses a message again at any later time, and one that does not follow the sender', async () => {
      const { channel, member } = await withMember();
      const [first, other] = [draftOf(member), newMember()];
      await store.join(channel.id, other);
      await store.append(channel.id, first);
      const second = draftOf({ ...member, plat: first.plat });
      await store.append(channel.id, second);
      await store.append(channel.id, draftOf(other));

      expect(await store.append(channel.id, first)).toEqual({ answer: 'replayed' });
      expect(await store.append(channel.id, second)).toEqual({ answer: 'replayed' });
      expect(await store.append(channel.id, draftOf(member))).toEqual({ answer: 'stale', prev: second.plat });
      expect(await store.append(channel.id, draftOf(newMember()))).toEqual({ answer: 'gone' });
      expect(await store.append(id('tsc'), first)).toEqual({ answer: 'gone' });
      expect(await store.messages(channel.id, 0, 100, NOW)).toHaveLength(3);
    });

    it('takes one of many messages that follow the same one at once', async () => {
      const { channel, member } = await withMember();

      const answers = await Promise.all(
        Array.from({ length: 8 }, () => store.append(channel.id, draftOf(member))),
      );

      expect(answers.map(({ answer }) => answer).sort()).toEqual([...Array(7).fill('stale'), 'stored']);
    });

    it('hides and then deletes what has expired, and still refuses it', async () => {
      const { channel, member } = await withMember();
      const draft = draftOf(member);
      await store.append(channel.id, draft);

      expect(await store.messages(channel.id, 0, 10, draft.expiresAt)).toEqual([]);
      await store.prune(draft.expiresAt);

      expect(await store.messages(channel.id, 0, 10, NOW)).toEqual([]);
      expect((await store.append(channel.id, draft)).answer).not.toBe('stored');
    });

    it('keeps the newest messages when there are too many', async () => {
      const { channel, member } = await withMember();
      let sender = member;
      for (let i = 0; i < MAX_KEPT_MESSAGES + 3; i += 1) {
        const draft = draftOf(sender);
        await store.append(channel.id, draft);
        sender = { ...sender, plat: draft.plat };
      }

      const kept = await store.messages(channel.id, 0, 5000, NOW);
      expect([kept.length, kept[0]!.seq]).toEqual([MAX_KEPT_MESSAGES, 4]);
    }, 60_000);

    it('keeps the last secret beside the new one until it retires, and then deletes it', async () => {
      const { channel } = await withMember();
      await store.rotate(channel.id, newKey(2), NOW + 60_000, NOW);
      const keysOf = async () =>
        (await store.find(channel.id))!.keys.map(({ version, retiresAt }) => [version, retiresAt]);

      expect(await keysOf()).toEqual([
        [1, NOW + 60_000],
        [2, null],
      ]);
      await store.prune(NOW + 60_000);
      expect(await keysOf()).toEqual([[2, null]]);
      await store.rotate(channel.id, newKey(3), NOW, NOW);
      expect(await keysOf()).toEqual([[3, null]]);
    });

    it('seals anew what lies under another key', async () => {
      const { channel } = await withMember();
      const kid = 'ffffffffffffffff';
      const mine = (found: { id: string }[]) => found.filter((one) => one.id === channel.id);

      expect(mine(await store.sealedUnderOther(kid))).toEqual([
        { id: channel.id, version: 1, kid: newKey().sealed.kid },
      ]);
      const { sealed } = newKey(1, kid);
      await store.reseal(channel.id, 1, sealed);

      expect(mine(await store.sealedUnderOther(kid))).toEqual([]);
      expect((await store.find(channel.id))!.keys[0]!.sealed).toEqual(sealed);
    });

    it('removes a channel for its owner only, with everything in it', async () => {
      const { channel, member } = await withMember();
      await store.append(channel.id, draftOf(member));

      expect(await store.remove(channel.id, member.machineId)).toBe(false);
      expect(await store.remove(channel.id, channel.ownerId)).toBe(true);
      expect(await store.find(channel.id)).toBeUndefined();
      expect(await store.messages(channel.id, 0, 10, NOW)).toEqual([]);
    });

    it('is the same after it was closed and opened', async () => {
      const { channel, member } = await withMember();
      await store.append(channel.id, draftOf(member));
      await store.rotate(channel.id, newKey(2), NOW + 60_000, NOW);
      const [before, messages] = [await store.find(channel.id), await store.messages(channel.id, 0, 10, NOW)];
      await store.close();

      store = await again();

      expect(await store.find(channel.id)).toEqual(before);
      expect(await store.messages(channel.id, 0, 10, NOW)).toEqual(messages);
    });

    it('tells of each message', async () => {
      const { channel, member } = await withMember();
      const heard: (string | undefined)[] = [];
      store.onMessage((one) => void heard.push(one));

      await store.append(channel.id, draftOf(member));

      for (let i = 0; i < 100 && !heard.includes(channel.id); i += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(heard.includes(channel.id) || heard.includes(undefined)).toBe(true);
    });
  });
}
