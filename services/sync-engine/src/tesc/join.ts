import { createHash, timingSafeEqual } from 'node:crypto';
import type { JoinChannel, Joined } from '@zeq/contracts';
import {
  joinPlatFields,
  type MessagePlace,
  NO_PLAT,
  newTescUid,
  platOf,
  tescKeys,
  verifyPlat,
  zeqondOf,
} from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { z } from 'zod';
import { countingKeys, requireChannel, type TescDeps } from './channels.ts';
import { clockOffset, requireWindow } from './clock-offset.ts';
import { type ChannelState, MAX_MEMBERS } from './tesc-store.ts';
import { hexOf } from './views.ts';

/**
 * Lets a machine in that shows it knows the secret: by a PLAT over "join" in the present Zeqond ±1, which is the first link of the
 * sender's chain, or by sending the secret, when the server makes that PLAT for it.
 *
 * @throws ProblemError `not_found`, `zeqond_window_closed`, `plat_invalid`, `plat_replayed` (the uid has joined), `conflict` (full).
 */
export async function joinChannel(
  deps: TescDeps,
  machineId: string,
  id: string,
  body: JoinChannel,
): Promise<z.infer<typeof Joined>> {
  const channel = await requireChannel(deps.store, id);
  const now = deps.time.wallMs();
  const proof =
    'secret' in body
      ? await proveFor(deps, channel, body.secret, now)
      : await check(deps, channel, body, now);
  const answer = await deps.store.join(id, { uid: proof.uid, machineId, joinedAt: now, plat: proof.plat });
  const offset = clockOffset(now, proof.zeqond, proof.phase);
  const members = { ...offset };
  if (answer === 'taken')
    throw new ProblemError('plat_replayed', 'This uid has joined already.', { members });
  if (answer === 'full') throw new ProblemError('conflict', `A channel has at most ${MAX_MEMBERS} members.`);
  if (answer === 'gone') throw new ProblemError('not_found', 'No such channel.');
  const { uid, plat, zeqond, keyVersion } = proof;
  return { ...offset, uid, plat: hexOf(plat), zeqond, key_version: keyVersion };
}

interface Proof {
  uid: string;
  zeqond: number;
  plat: Buffer;
  keyVersion: number;
  phase?: number | undefined;
}

async function check(
  deps: TescDeps,
  channel: ChannelState,
  body: Extract<JoinChannel, { plat: string }>,
  now: number,
): Promise<Proof> {
  const { uid, zeqond, phase } = body;
  const offset = clockOffset(now, zeqond, phase);
  requireWindow(offset, zeqond);
  const plat = Buffer.from(body.plat, 'hex');
  const fields = joinPlatFields(placeOf(channel, uid, zeqond));
  const fitting = (await countingKeys(deps, channel)).find(({ keys }) => verifyPlat(keys.plat, fields, plat));
  if (!fitting) throw wrongSecret({ ...offset });
  return { uid, zeqond, phase, plat, keyVersion: fitting.key.version };
}

/** Derives keys from the secret that was sent; equal keys mean the same secret. */
async function proveFor(deps: TescDeps, channel: ChannelState, secret: string, now: number): Promise<Proof> {
  const sent = await tescKeys(secret, channel.id);
  const fitting = (await countingKeys(deps, channel)).find(({ keys }) =>
    equalKeys(sent.plat.export(), keys.plat.export()),
  );
  if (!fitting) throw wrongSecret({});
  const [uid, zeqond] = [newTescUid(), zeqondOf(now)];
  const plat = platOf(sent.plat, joinPlatFields(placeOf(channel, uid, zeqond)));
  return { uid, zeqond, plat, keyVersion: fitting.key.version };
}

const placeOf = ({ id }: ChannelState, uid: string, zeqond: number): MessagePlace => ({
  channel: id,
  uid,
  zeqond,
  previous: NO_PLAT,
});

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const equalKeys = (a: Uint8Array, b: Uint8Array): boolean => timingSafeEqual(digest(a), digest(b));

const wrongSecret = (members: Record<string, number>) =>
  new ProblemError('plat_invalid', 'This does not show knowledge of the channel secret.', { members });
