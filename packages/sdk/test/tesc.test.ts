import { readFileSync } from 'node:fs';
import type { SendMessage, TescMessage } from '@zeq/contracts';
import { zeqondOf } from '@zeq/crypto/web';
import { createClient, type TescMember } from '../src/index.ts';
import { fakeMesh, json, problem } from './kit/fake-mesh.ts';

const { tesc } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
);
const ID: string = tesc.channel;
const ROOT = `/api/tesc/channels/${ID}`;

const message = {
  ...tesc.message,
  seq: 1,
  channel: ID,
  prev: tesc.message.previous,
  iv: Buffer.from(tesc.message.iv, 'hex').toString('base64url'),
  ciphertext: Buffer.from(tesc.message.ciphertext, 'hex').toString('base64url'),
} as TescMessage;

const open = (routes: Parameters<typeof fakeMesh>[0], member?: TescMember) => {
  const mesh = fakeMesh(routes);
  const client = createClient({ url: 'http://mesh.example', key: 'zsm_x', fetch: mesh.fetch });
  return client.tesc.open(ID, tesc.secret, member).then((channel) => ({ channel, ...mesh }));
};

describe('a TESC channel with its secret', () => {
  it('opens the published message', async () => {
    const { channel } = await open({});

    expect((await channel.open(message)).text).toBe(tesc.message.text);
  });

  it.each(['zeqond', 'uid', 'prev', 'iv', 'ciphertext', 'plat'] as const)(
    'refuses a message whose %s was changed',
    async (field) => {
      const { channel } = await open({});
      const value = message[field];
      const changed =
        typeof value === 'number' ? value + 1 : `${value[0] === '2' ? '3' : '2'}${value.slice(1)}`;

      await expect(channel.open({ ...message, [field]: changed })).rejects.toMatchObject({
        code: 'plat_invalid',
      });
    },
  );

  it('joins with a proof, sends ciphertext, and never shows the secret or the text', async () => {
    const { channel, arrivals } = await open({
      [`POST ${ROOT}/join`]: ({ body }) => json({ plat: JSON.parse(body).plat }, { status: 201 }),
      [`POST ${ROOT}/messages`]: ({ body }) => json({ seq: 1, plat: JSON.parse(body).plat }, { status: 201 }),
    });

    await channel.send('a text for the other side');

    expect(arrivals.map(({ path }) => path)).toEqual([`${ROOT}/join`, `${ROOT}/messages`]);
    const said = arrivals.map(({ body }) => body).join();
    expect(said).not.toContain(tesc.secret);
    expect(said).not.toContain('a text for');
    const sent = JSON.parse(arrivals[1]!.body) as Extract<SendMessage, { plat: string }>;
    expect(sent.prev).toBe(JSON.parse(arrivals[0]!.body).plat);
    expect(channel.member).toEqual({ uid: sent.uid, plat: sent.plat });
    const back = await channel.open({ ...message, ...sent, seq: 1 });
    expect(back.text).toBe('a text for the other side');
  });

  it('corrects its clock by what the mesh says, and sends again', async () => {
    const aheadMs = 5 * 777_000;
    const zeqonds: number[] = [];
    const { channel } = await open(
      {
        [`POST ${ROOT}/messages`]: ({ body }) => {
          const { zeqond, plat } = JSON.parse(body);
          zeqonds.push(zeqond);
          if (zeqond >= zeqondOf(Date.now() + aheadMs) - 1) return json({ seq: 1, plat }, { status: 201 });
          return problem(409, 'zeqond_window_closed', 'Late.', { members: { correctionMs: aheadMs } });
        },
      },
      { uid: message.uid, plat: message.plat },
    );

    await channel.send('now');

    expect(zeqonds).toHaveLength(2);
  });

  it.each(['conflict', 'forbidden'])('joins anew when its place is lost (%s), once', async (code) => {
    const uids: string[] = [];
    const { channel, arrivals } = await open(
      {
        [`POST ${ROOT}/join`]: ({ body }) => json({ plat: JSON.parse(body).plat }, { status: 201 }),
        [`POST ${ROOT}/messages`]: ({ body }) => {
          uids.push(JSON.parse(body).uid);
          return problem(409, code, 'No.');
        },
      },
      { uid: message.uid, plat: message.plat },
    );

    await expect(channel.send('now')).rejects.toMatchObject({ code });
    expect(uids).toEqual([message.uid, channel.member!.uid]);
    expect(channel.member!.uid).not.toBe(message.uid);
    expect(arrivals).toHaveLength(3);
  });

  it('gives up on a moment that never comes', async () => {
    const refusal = () => problem(409, 'zeqond_window_closed', 'Late.', { members: { correctionMs: 1 } });
    const { channel, arrivals } = await open(
      { [`POST ${ROOT}/messages`]: refusal },
      { uid: message.uid, plat: message.plat },
    );

    await expect(channel.send('now')).rejects.toMatchObject({ code: 'zeqond_window_closed' });
    expect(arrivals).toHaveLength(3);
  });
});
