import type { Channel, TescMessage } from '@zeq/contracts';
import type { ChannelState, StoredMessage } from './tesc-store.ts';

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const moment = (ms: number): string => new Date(ms).toISOString();

/** A channel as its members see it: never its secret, in no form. */
export function channelView(channel: ChannelState, machineId: string): Channel {
  const retiring = channel.keys.find(({ retiresAt }) => retiresAt !== null);
  return {
    id: channel.id,
    name: channel.name,
    owner: channel.ownerId === machineId,
    created_at: moment(channel.createdAt),
    message_ttl_seconds: channel.messageTtlSeconds,
    key_version: channel.keys.at(-1)!.version,
    overlap_until: retiring ? moment(retiring.retiresAt!) : null,
    members: channel.members.map(({ uid, plat, joinedAt }) => ({
      uid,
      plat: hexOf(plat),
      joined_at: moment(joinedAt),
    })),
    depth: channel.depth,
    chain: hexOf(channel.chain),
  };
}

export const messageView = (channelId: string, message: StoredMessage): TescMessage => ({
  type: 'message',
  seq: message.seq,
  channel: channelId,
  uid: message.uid,
  zeqond: message.zeqond,
  prev: hexOf(message.prev),
  iv: textOf(message.iv),
  ciphertext: textOf(message.ciphertext),
  plat: hexOf(message.plat),
  chain: hexOf(message.chain),
  key_version: message.keyVersion,
  received_at: moment(message.receivedAt),
  expires_at: moment(message.expiresAt),
});
