import type { JoinChannel, SendMessage, TescMessage } from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import { path } from '../client/paths.ts';
import { errorOf } from '../client/problem.ts';
import { eventsOf } from '../clock/event-stream.ts';
import type {
  ClockOffset,
  CreateChannelInput,
  RotateChannelInput,
  TescChannel,
  TescJoined,
  TescMessages,
  TescNewSecret,
  TescSent,
} from '../wire.ts';
import { TescChannelClient, type TescMember } from './channel.ts';

/** The routes as they are; `TescChannelClient` seals and opens on top of them. */
export type TescRoutes = ReturnType<typeof tescRoutesOf>;

const ROOT = '/api/tesc/channels';

/** Messages that count in their moment. */
export const tescOf = (core: Core) => {
  const routes = tescRoutesOf(core);
  return {
    ...routes,
    /** A channel with its secret, which stays here. */
    open: (id: string, secret: string, member?: TescMember) =>
      TescChannelClient.open(routes, id, secret, member),
  };
};

const tescRoutesOf = (core: Core) => ({
  clock: (query: { zeqond?: number; phase?: number } = {}, options?: CallOptions) =>
    core.json<ClockOffset>('GET', '/api/tesc/clock', { ...options, as: 'nobody', query }),
  channels: async (options?: CallOptions): Promise<TescChannel[]> =>
    (await core.json<{ channels: TescChannel[] }>('GET', ROOT, options)).channels,
  channel: (id: string, options?: CallOptions) => core.json<TescChannel>('GET', ROOT + path`/${id}`, options),
  /** The answer is the only one that shows the secret. */
  create: (channel: CreateChannelInput = {}, options?: CallOptions) =>
    core.json<TescNewSecret>('POST', ROOT, { ...options, json: channel }),
  async remove(id: string, options?: CallOptions): Promise<void> {
    await core.json('DELETE', ROOT + path`/${id}`, options);
  },
  rotate: (id: string, wanted: RotateChannelInput = {}, options?: CallOptions) =>
    core.json<TescNewSecret>('POST', ROOT + path`/${id}/rotate`, { ...options, json: wanted }),
  join: (id: string, proof: JoinChannel, options?: CallOptions) =>
    core.json<TescJoined>('POST', ROOT + path`/${id}/join`, { ...options, json: proof }),
  send: (id: string, message: SendMessage, options?: CallOptions) =>
    core.json<TescSent>('POST', ROOT + path`/${id}/messages`, { ...options, json: message }),
  /** `wait`: seconds until the first message may come, at most 25. */
  messages: (
    id: string,
    query: { after?: number; limit?: number; wait?: number } = {},
    options?: CallOptions,
  ) => core.json<TescMessages>('GET', ROOT + path`/${id}/messages`, { ...options, query }),
  /** Messages after a number as they come, until the stream ends (15 minutes at most); then ask again from the last one. */
  stream: (id: string, after = 0, options?: CallOptions) => streamMessages(core, id, after, options),
});

async function* streamMessages(
  core: Core,
  id: string,
  after: number,
  options: CallOptions = {},
): AsyncGenerator<TescMessage, void, undefined> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(after) };
  const response = await core.send('GET', ROOT + path`/${id}/stream`, { ...options, headers });
  if (!response.ok || response.body === null) throw await errorOf(response);
  for await (const { data } of eventsOf(response.body)) {
    const message = JSON.parse(data) as TescMessage | { type: string };
    if (message.type === 'message') yield message as TescMessage;
  }
}
