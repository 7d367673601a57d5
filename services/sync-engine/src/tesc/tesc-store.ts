import type { SealedField } from '@zeq/crypto';

/** Older messages give way: a channel is for a moment, not an archive. */
export const MAX_KEPT_MESSAGES = 1_000;
export const MAX_MEMBERS = 64;
export const MAX_CHANNELS_PER_MACHINE = 100;

export interface ChannelRecord {
  id: string;
  name: string | null;
  /** The machine that created it: it rotates and removes. */
  ownerId: string;
  createdAt: number;
  messageTtlSeconds: number;
  /** 32 random bytes: the beginning of the channel's chain. */
  seed: Buffer;
  /** 32 random bytes: the salt of the key that seals its secrets. */
  salt: Buffer;
}

/** A secret of a channel, sealed. */
export interface ChannelKey {
  version: number;
  sealed: SealedField;
  /** Unix milliseconds from which it no longer counts; null for the present one. */
  retiresAt: number | null;
}

/** Which key of which channel is sealed under what. */
export interface SealedKey {
  id: string;
  version: number;
  kid: string;
}

export interface Member {
  uid: string;
  machineId: string;
  joinedAt: number;
  /** The last PLAT of this sender, 32 bytes: its next message follows it. */
  plat: Buffer;
}

export interface ChannelState extends ChannelRecord {
  /** Present and retired ones that may still count; the present one last. */
  keys: ChannelKey[];
  members: Member[];
  depth: number;
  chain: Buffer;
}

export interface MessageDraft {
  uid: string;
  zeqond: number;
  prev: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  plat: Buffer;
  keyVersion: number;
  receivedAt: number;
  expiresAt: number;
}

export interface StoredMessage extends MessageDraft {
  seq: number;
  chain: Buffer;
}

/** `replayed`: this PLAT is stored already. `stale`: the sender's last PLAT is another one. `gone`: no such channel or member. */
export type AppendAnswer =
  | { answer: 'stored'; message: StoredMessage }
  | { answer: 'replayed' }
  | { answer: 'gone' }
  | { answer: 'stale'; prev: Buffer };

/** Keeps channels, their sealed secrets, members and messages. */
export interface TescStore {
  /** @returns false when the machine has as many channels as it may. */
  create(channel: ChannelRecord, key: ChannelKey): Promise<boolean>;

  find(id: string): Promise<ChannelState | undefined>;

  /** The channels a machine owns or joined, oldest first. */
  listOf(machineId: string): Promise<ChannelState[]>;

  /** Removes it with everything in it. @returns false when it is not this machine's. */
  remove(id: string, ownerId: string): Promise<boolean>;

  /** `taken`: the uid has joined before. `full`: as many members as there may be. */
  join(id: string, member: Member): Promise<'joined' | 'taken' | 'full' | 'gone'>;

  /** Sets the present key; the one before retires at a moment, and those that have retired are deleted. */
  rotate(id: string, key: ChannelKey, previousRetiresAt: number, now: number): Promise<void>;

  /** Replaces the sealed form of a key, for a new sealing key. */
  reseal(id: string, version: number, sealed: SealedField): Promise<void>;

  /** Channels whose secrets are sealed under another key than this one. */
  sealedUnderOther(kid: string): Promise<SealedKey[]>;

  /** Checks order and replay, numbers the message and links it to the channel's chain, all in one step. */
  append(id: string, draft: MessageDraft): Promise<AppendAnswer>;

  /** Messages after a number, in order, that have not expired. */
  messages(id: string, after: number, limit: number, now: number): Promise<StoredMessage[]>;

  /** Deletes what has expired. */
  prune(now: number): Promise<void>;

  /** Calls with the id of a channel that has a new message, also from another engine; with undefined when some may have been missed. */
  onMessage(listener: (id: string | undefined) => void): void;

  close(): Promise<void>;
}
