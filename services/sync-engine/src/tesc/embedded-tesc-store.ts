import { genesisChain, type SealedField } from '@zeq/crypto';
import { Journal } from './journal.ts';
import { linkMessage } from './link-message.ts';
import {
  type AppendAnswer,
  type ChannelKey,
  type ChannelRecord,
  type ChannelState,
  MAX_CHANNELS_PER_MACHINE,
  MAX_KEPT_MESSAGES,
  MAX_MEMBERS,
  type Member,
  type MessageDraft,
  type SealedKey,
  type StoredMessage,
  type TescStore,
} from './tesc-store.ts';

type Held = ChannelState & { messages: StoredMessage[] };

/** What the journal holds: whole channels (after a rewrite), and what happened to them since. */
type Entry =
  | { op: 'channel'; channel: Held }
  | { op: 'removed'; id: string }
  | { op: 'joined'; id: string; member: Member }
  | { op: 'keys'; id: string; keys: ChannelKey[] }
  | { op: 'message'; id: string; message: StoredMessage };

/** The journal is written anew when it has this many lines more than twice what lives. */
const SLACK_LINES = 10_000;

/**
 * Channels in memory and in a journal, for one engine on one machine: everything here is small and short-lived, and a database beside it
 * would cost more than it keeps.
 */
export class EmbeddedTescStore implements TescStore {
  readonly #journal: Journal;
  readonly #channels = new Map<string, Held>();
  readonly #listeners: ((id: string | undefined) => void)[] = [];
  #work: Promise<unknown> = Promise.resolve();
  #torn = false;

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** @param path The folder it lies in is locked by the chain's store. */
  static async open(path: string): Promise<EmbeddedTescStore> {
    const store = new EmbeddedTescStore(new Journal(path));
    for (const entry of await store.#journal.read()) store.#apply(entry as Entry);
    await store.#rewrite();
    return store;
  }

  create(channel: ChannelRecord, key: ChannelKey): Promise<boolean> {
    return this.#oneByOne(async () => {
      const owned = [...this.#channels.values()].filter(({ ownerId }) => ownerId === channel.ownerId);
      if (owned.length >= MAX_CHANNELS_PER_MACHINE) return false;
      const chain = genesisChain(channel.seed, channel.id);
      await this.#do({
        op: 'channel',
        channel: { ...channel, keys: [key], members: [], depth: 0, chain, messages: [] },
      });
      return true;
    });
  }

  async find(id: string): Promise<ChannelState | undefined> {
    const held = this.#channels.get(id);
    return held && toState(held);
  }

  async listOf(machineId: string): Promise<ChannelState[]> {
    return [...this.#channels.values()]
      .filter(
        ({ ownerId, members }) => ownerId === machineId || members.some((one) => one.machineId === machineId),
      )
      .map(toState);
  }

  remove(id: string, ownerId: string): Promise<boolean> {
    return this.#oneByOne(async () => {
      if (this.#channels.get(id)?.ownerId !== ownerId) return false;
      await this.#do({ op: 'removed', id });
      await this.#rewrite(); // gone, not flagged
      return true;
    });
  }

  join(id: string, member: Member): Promise<'joined' | 'taken' | 'full' | 'gone'> {
    return this.#oneByOne(async () => {
      const held = this.#channels.get(id);
      if (!held) return 'gone';
      if (held.members.some(({ uid }) => uid === member.uid)) return 'taken';
      if (held.members.length >= MAX_MEMBERS) return 'full';
      await this.#do({ op: 'joined', id, member });
      return 'joined';
    });
  }

  rotate(id: string, key: ChannelKey, previousRetiresAt: number, now: number): Promise<void> {
    return this.#oneByOne(async () => {
      const kept = (this.#channels.get(id)?.keys ?? [])
        .map((one) => (one.retiresAt === null ? { ...one, retiresAt: previousRetiresAt } : one))
        .filter(({ retiresAt }) => retiresAt === null || retiresAt > now);
      await this.#setKeys(id, [...kept, key]);
    });
  }

  reseal(id: string, version: number, sealed: SealedField): Promise<void> {
    return this.#oneByOne(async () => {
      const keys = this.#channels.get(id)?.keys ?? [];
      await this.#setKeys(
        id,
        keys.map((key) => (key.version === version ? { ...key, sealed } : key)),
      );
    });
  }

  async sealedUnderOther(kid: string): Promise<SealedKey[]> {
    return [...this.#channels.values()].flatMap(({ id, keys }) =>
      keys
        .filter(({ sealed }) => sealed.kid !== kid)
        .map(({ version, sealed }) => ({ id, version, kid: sealed.kid })),
    );
  }

  append(id: string, draft: MessageDraft): Promise<AppendAnswer> {
    return this.#oneByOne(async () => {
      const held = this.#channels.get(id);
      if (!held) return { answer: 'gone' };
      const prev = held.members.find(({ uid }) => uid === draft.uid)?.plat;
      const known = held.messages.some(({ plat }) => plat.equals(draft.plat));
      const answer = linkMessage({ depth: held.depth, chain: held.chain, prev, known }, draft);
      if (answer.answer !== 'stored') return answer;
      await this.#do({ op: 'message', id, message: answer.message });
      for (const listener of this.#listeners) listener(id);
      return answer;
    });
  }

  async messages(id: string, after: number, limit: number, now: number): Promise<StoredMessage[]> {
    const all = this.#channels.get(id)?.messages ?? [];
    return all.filter(({ seq, expiresAt }) => seq > after && expiresAt > now).slice(0, limit);
  }

  prune(now: number): Promise<void> {
    return this.#oneByOne(async () => {
      let pruned = false;
      for (const held of this.#channels.values()) {
        const before = held.messages.length + held.keys.length;
        held.messages = held.messages.filter(({ expiresAt }) => expiresAt > now);
        held.keys = held.keys.filter(({ retiresAt }) => retiresAt === null || retiresAt > now);
        pruned ||= held.messages.length + held.keys.length < before;
      }
      if (pruned) await this.#rewrite();
    });
  }

  onMessage(listener: (id: string | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#journal.close();
  }

  async #setKeys(id: string, keys: ChannelKey[]): Promise<void> {
    if (!this.#channels.has(id)) return;
    await this.#do({ op: 'keys', id, keys });
    await this.#rewrite(); // a secret that was replaced leaves the disk
  }

  /** Written first: what is in memory is on the disk. */
  async #do(entry: Entry): Promise<void> {
    if (this.#torn) await this.#rewrite();
    this.#torn = true; // until the line is whole: after a full disk the next one must not follow half of it
    await this.#journal.append(entry);
    this.#torn = false;
    this.#apply(entry);
    if (this.#journal.lines > SLACK_LINES + 2 * this.#channels.size) await this.#rewrite();
  }

  #apply(entry: Entry): void {
    if (entry.op === 'channel') return void this.#channels.set(entry.channel.id, entry.channel);
    if (entry.op === 'removed') return void this.#channels.delete(entry.id);
    const held = this.#channels.get(entry.id);
    if (!held) return;
    if (entry.op === 'joined') held.members = [...held.members, entry.member];
    else if (entry.op === 'keys') held.keys = entry.keys;
    else addMessage(held, entry.message);
  }

  async #rewrite(): Promise<void> {
    await this.#journal.rewrite([...this.#channels.values()].map((channel) => ({ op: 'channel', channel })));
    this.#torn = false;
  }

  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.then(
      () => undefined,
      () => undefined, // told to whoever asked
    );
    return done;
  }
}

function addMessage(held: Held, message: StoredMessage): void {
  held.messages = [...held.messages, message].slice(-MAX_KEPT_MESSAGES);
  held.members = held.members.map((one) => (one.uid === message.uid ? { ...one, plat: message.plat } : one));
  held.depth = message.seq;
  held.chain = message.chain;
}

function toState({ messages: _, ...state }: Held): ChannelState {
  return { ...state, keys: [...state.keys], members: [...state.members] };
}
