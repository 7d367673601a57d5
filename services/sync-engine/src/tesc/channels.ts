import { randomBytes } from 'node:crypto';
import type { Channel, CreateChannel, RotateChannel } from '@zeq/contracts';
import { newId, type TescKeys } from '@zeq/crypto';
import { ProblemError, type TimeSource } from '@zeq/service-kit';
import type { z } from 'zod';
import type { ChannelSecrets } from './channel-secrets.ts';
import {
  type ChannelKey,
  type ChannelState,
  MAX_CHANNELS_PER_MACHINE,
  type TescStore,
} from './tesc-store.ts';
import { channelView } from './views.ts';

export interface TescDeps {
  time: TimeSource;
  store: TescStore;
  secrets: ChannelSecrets;
}

export interface NewSecret {
  channel: Channel;
  secret: string;
}

/** Opens a channel of a machine. Its secret is in the answer and nowhere else in clear. */
export async function createChannel(
  { time, store, secrets }: TescDeps,
  machineId: string,
  { name, secret = newSecret(), message_ttl_seconds }: z.infer<typeof CreateChannel>,
): Promise<NewSecret> {
  const record = {
    id: newId('tsc'),
    name: name ?? null,
    ownerId: machineId,
    createdAt: time.wallMs(),
    messageTtlSeconds: message_ttl_seconds,
    seed: randomBytes(32),
    salt: randomBytes(32),
  };
  const created = await store.create(record, {
    version: 1,
    sealed: secrets.seal(record, 1, secret),
    retiresAt: null,
  });
  if (!created)
    throw new ProblemError('conflict', `A machine has at most ${MAX_CHANNELS_PER_MACHINE} channels.`);
  return { channel: channelView(await requireChannel(store, record.id), machineId), secret };
}

/** Changes the secret. Messages under the old one count until the overlap ends, so that nobody has to change in the same moment. */
export async function rotateChannel(
  { time, store, secrets }: TescDeps,
  machineId: string,
  id: string,
  { secret = newSecret(), overlap_seconds }: z.infer<typeof RotateChannel>,
): Promise<NewSecret> {
  const channel = await requireOwned(store, id, machineId);
  const version = channel.keys.at(-1)!.version + 1;
  const now = time.wallMs();
  const key = { version, sealed: secrets.seal(channel, version, secret), retiresAt: null };
  await store.rotate(id, key, now + overlap_seconds * 1000, now);
  secrets.forget(id);
  return { channel: channelView(await requireChannel(store, id), machineId), secret };
}

export async function removeChannel(
  { store, secrets }: TescDeps,
  machineId: string,
  id: string,
): Promise<void> {
  await requireOwned(store, id, machineId);
  await store.remove(id, machineId);
  secrets.forget(id);
}

export async function showChannel({ store }: TescDeps, machineId: string, id: string): Promise<Channel> {
  return channelView(await requireSeen(store, id, machineId), machineId);
}

export async function listChannels({ store }: TescDeps, machineId: string): Promise<Channel[]> {
  return (await store.listOf(machineId)).map((channel) => channelView(channel, machineId));
}

/** A channel that the machine owns or joined. @throws ProblemError `not_found`, the same for a foreign and for no channel. */
export async function requireSeen(store: TescStore, id: string, machineId: string): Promise<ChannelState> {
  const channel = await requireChannel(store, id);
  const isMember = channel.members.some((member) => member.machineId === machineId);
  if (channel.ownerId !== machineId && !isMember) throw notFound();
  return channel;
}

export async function requireChannel(store: TescStore, id: string): Promise<ChannelState> {
  const channel = await store.find(id);
  if (!channel) throw notFound();
  return channel;
}

/** The keys that count now: of one version where it is named, otherwise the present ones first. */
export async function countingKeys(
  { time, secrets }: TescDeps,
  channel: ChannelState,
  version?: number,
): Promise<{ key: ChannelKey; keys: TescKeys }[]> {
  const now = time.wallMs();
  const counting = channel.keys
    .filter(
      (key) => (key.retiresAt === null || key.retiresAt > now) && key.version === (version ?? key.version),
    )
    .reverse();
  return Promise.all(counting.map(async (key) => ({ key, keys: await secrets.keys(channel, key) })));
}

async function requireOwned(store: TescStore, id: string, machineId: string): Promise<ChannelState> {
  const channel = await requireSeen(store, id, machineId);
  if (channel.ownerId !== machineId)
    throw new ProblemError('forbidden', 'Only the machine that opened the channel may do that.');
  return channel;
}

const notFound = () => new ProblemError('not_found', 'No such channel.');

/** 256 bits as 43 characters of base64url. */
const newSecret = (): string => randomBytes(32).toString('base64url');
