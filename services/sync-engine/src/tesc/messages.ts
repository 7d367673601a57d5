import type { SendMessage, SentMessage, TescMessage } from '@zeq/contracts';
import {
  type MessagePlace,
  messagePlat,
  messagePlatFields,
  openMessage,
  sealMessage,
  TescError,
  verifyPlat,
  zeqondOf,
} from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { z } from 'zod';
import { countingKeys, requireSeen, type TescDeps } from './channels.ts';
import { clockOffset, requireWindow } from './clock-offset.ts';
import type { AppendAnswer, ChannelState, Member, MessageDraft, StoredMessage } from './tesc-store.ts';
import { hexOf, messageView, textOf } from './views.ts';

type SealedBody = Extract<SendMessage, { plat: string }>;
type Sent = z.infer<typeof SentMessage>;

/** A sender whose own messages overtake a plain one so often has to seal them itself. */
const MAX_ATTEMPTS = 5;

/**
 * Takes a message of a member: sealed by the client, or as text that the server seals in the present Zeqond.
 *
 * @throws ProblemError `not_found`, `forbidden` (not the caller's uid), `zeqond_window_closed`, `plat_invalid`, `plat_replayed`, and
 *   `conflict` with the PLAT to follow, when another message of this sender came first.
 */
export async function sendMessage(
  deps: TescDeps,
  machineId: string,
  id: string,
  body: SendMessage,
): Promise<Sent> {
  for (let attempt = 1; ; attempt += 1) {
    const channel = await requireSeen(deps.store, id, machineId);
    const member = requireMember(channel, machineId, body.uid);
    const now = deps.time.wallMs();
    const isSealed = 'plat' in body;
    const draft = isSealed
      ? await check(deps, channel, body, now)
      : await sealFor(deps, channel, member, body.message, now);
    const answer = await deps.store.append(id, draft);
    if (answer.answer === 'stale' && !isSealed && attempt < MAX_ATTEMPTS) continue;
    return toSent(answer, now, draft, isSealed ? body.phase : undefined);
  }
}

/** Messages after a number. With `open` the server reads those whose secret still counts. */
export async function readMessages(
  deps: TescDeps,
  machineId: string,
  id: string,
  { after, limit, open }: { after: number; limit: number; open: boolean },
): Promise<TescMessage[]> {
  const channel = await requireSeen(deps.store, id, machineId);
  const messages = await deps.store.messages(id, after, limit, deps.time.wallMs());
  if (!open) return messages.map((message) => messageView(id, message));
  const counting = await countingKeys(deps, channel);
  return messages.map((message) => {
    const keys = counting.find(({ key }) => key.version === message.keyVersion)?.keys;
    const text = keys && openOrNothing(() => openMessage(keys, placeOf(id, message), message));
    return { ...messageView(id, message), ...(text !== undefined && { message: text }) };
  });
}

async function check(
  deps: TescDeps,
  channel: ChannelState,
  body: SealedBody,
  now: number,
): Promise<MessageDraft> {
  const offset = clockOffset(now, body.zeqond, body.phase);
  requireWindow(offset, body.zeqond);
  const sealed = {
    iv: Buffer.from(body.iv, 'base64url'),
    ciphertext: Buffer.from(body.ciphertext, 'base64url'),
  };
  const [prev, plat] = [Buffer.from(body.prev, 'hex'), Buffer.from(body.plat, 'hex')];
  const place = { channel: channel.id, uid: body.uid, zeqond: body.zeqond, previous: prev };
  const fields = messagePlatFields(place, sealed);
  const counting = await countingKeys(deps, channel, body.key_version);
  const fitting = counting.find(({ keys }) => verifyPlat(keys.plat, fields, plat));
  if (!fitting)
    throw new ProblemError('plat_invalid', 'The PLAT does not verify.', { members: { ...offset } });
  return {
    uid: body.uid,
    zeqond: body.zeqond,
    prev,
    plat,
    ...sealed,
    ...timesOf(channel, now),
    keyVersion: fitting.key.version,
  };
}

async function sealFor(
  deps: TescDeps,
  channel: ChannelState,
  { uid, plat: prev }: Member,
  text: string,
  now: number,
): Promise<MessageDraft> {
  const body = Buffer.from(text, 'utf8');
  if (body.length > MAX_TEXT_BYTES)
    throw new ProblemError('payload_too_large', 'A message has at most 16,384 bytes.');
  const [{ key, keys } = noKey()] = await countingKeys(deps, channel);
  const place = { channel: channel.id, uid, zeqond: zeqondOf(now), previous: prev };
  const sealed = sealMessage(keys, place, body);
  const plat = messagePlat(keys, place, sealed);
  return {
    uid,
    zeqond: place.zeqond,
    prev,
    plat,
    ...sealed,
    ...timesOf(channel, now),
    keyVersion: key.version,
  };
}

const MAX_TEXT_BYTES = 16_384;

function requireMember({ members }: ChannelState, machineId: string, uid: string): Member {
  const member = members.find((one) => one.uid === uid && one.machineId === machineId);
  if (!member) throw new ProblemError('forbidden', 'This uid is not yours in this channel; join first.');
  return member;
}

function toSent(answer: AppendAnswer, now: number, draft: MessageDraft, phase: number | undefined): Sent {
  const offset = clockOffset(now, draft.zeqond, phase);
  if (answer.answer === 'replayed')
    throw new ProblemError('plat_replayed', 'This message has been sent before.', { members: { ...offset } });
  if (answer.answer === 'stale')
    throw new ProblemError(
      'conflict',
      'Another message of this sender came first; follow the PLAT in `prev`.',
      {
        members: { ...offset, prev: hexOf(answer.prev) },
      },
    );
  if (answer.answer === 'gone') throw new ProblemError('not_found', 'No such channel.');
  const { seq, plat, chain, zeqond, iv, ciphertext, expiresAt } = answer.message;
  return {
    ...offset,
    seq,
    plat: hexOf(plat),
    chain: hexOf(chain),
    zeqond,
    iv: textOf(iv),
    ciphertext: textOf(ciphertext),
    expires_at: new Date(expiresAt).toISOString(),
  };
}

const timesOf = ({ messageTtlSeconds }: ChannelState, now: number) => ({
  receivedAt: now,
  expiresAt: now + messageTtlSeconds * 1000,
});

const placeOf = (channel: string, { uid, zeqond, prev }: StoredMessage): MessagePlace => ({
  channel,
  uid,
  zeqond,
  previous: prev,
});

/** What a client sealed may be anything: a PLAT says who sent it, not that it opens. */
function openOrNothing(open: () => Buffer): string | undefined {
  try {
    return open().toString('utf8');
  } catch (err) {
    if (err instanceof TescError) return undefined;
    throw err;
  }
}

function noKey(): never {
  throw new Error('a channel without a present key');
}
