import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Caller, Channel, MessageList, SERVICE_TOKEN_HEADER, TescMessage } from '@zeq/contracts';
import {
  joinPlatFields,
  messagePlat,
  NO_PLAT,
  newId,
  newTescUid,
  openMessage,
  platOf,
  sealMessage,
  type TescKeys,
  tescKeys,
  ZEQOND_MS,
  zeqondOf,
} from '@zeq/crypto';
import { systemTime } from '@zeq/service-kit';
import { WebSocket } from 'ws';
import {
  type Answer,
  call,
  type EngineServer,
  machine,
  readEvents,
  startEngineServer,
  tokenFor,
} from './harness.ts';

let offsetMs = 0;
const time = { ...systemTime, wallMs: () => Date.now() + offsetMs };
let engine: EngineServer;
beforeAll(async () => {
  engine = await startEngineServer({ time });
});
afterAll(() => engine.close());
afterEach(() => {
  offsetMs = 0;
});

const alice = machine();
/** A new machine in each test: joins are limited per machine. */
let bob = machine();
const eve = machine();
const api = (path: string) => `${engine.url}/api/tesc${path}`;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A channel of alice that bob has joined, and what a client of bob's needs. */
async function setup(body: object = {}) {
  bob = machine();
  const created = await call(api('/channels'), 'POST', alice, body);
  const { channel, secret } = created.body as { channel: { id: string }; secret: string };
  const keys = await tescKeys(secret, channel.id);
  const joined = await call(api(`/channels/${channel.id}/join`), 'POST', bob, { secret });
  return {
    id: channel.id,
    secret,
    keys,
    created,
    uid: joined.body.uid as string,
    plat: joined.body.plat as string,
  };
}

interface Draft {
  uid: string;
  prev: string;
  text?: string;
  zeqond?: number;
}

/** A message as a client seals it. */
function seal(
  keys: TescKeys,
  id: string,
  { uid, prev, text = 'hello', zeqond = zeqondOf(time.wallMs()) }: Draft,
) {
  const place = { channel: id, uid, zeqond, previous: Buffer.from(prev, 'hex') };
  const sealed = sealMessage(keys, place, Buffer.from(text));
  const [iv, ciphertext] = [sealed.iv.toString('base64url'), sealed.ciphertext.toString('base64url')];
  return { uid, zeqond, prev, iv, ciphertext, plat: hex(messagePlat(keys, place, sealed)) };
}

const send = (id: string, body: unknown, who = bob) =>
  call(api(`/channels/${id}/messages`), 'POST', who, body);
const codeOf = ({ status, body }: Answer) => [status, body.code];

describe('POST /api/tesc/channels', () => {
  it('opens a channel and shows its secret once', async () => {
    const { created, id, secret } = await setup({ name: 'talk' });
    const shown = await call(api(`/channels/${id}`), 'GET', alice);

    expect(created.status).toBe(201);
    expect(Channel.parse(created.body.channel)).toEqual(created.body.channel);
    expect(created.body.channel).toMatchObject({
      name: 'talk',
      owner: true,
      key_version: 1,
      overlap_until: null,
      depth: 0,
      members: [],
    });
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify(shown.body)).not.toContain(secret);
  });

  it('takes a secret of 32 characters or more, and refuses a shorter one', async () => {
    const secret = 'ä'.repeat(32);

    expect((await call(api('/channels'), 'POST', alice, { secret })).body.secret).toBe(secret);
    expect(codeOf(await call(api('/channels'), 'POST', alice, { secret: 'x'.repeat(31) }))).toEqual([
      400,
      'invalid_body',
    ]);
  });

  it('keeps the secret sealed: it is in no file and no log line, in no form', async () => {
    const secret = 'a canary secret that nobody else would choose';
    const { id } = await setup({ secret });
    await send(id, { uid: 'nobody', message: 'x' });
    const disk = await readFile(join(engine.folder, 'channels.jsonl'), 'latin1');
    const forms = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')];

    for (const form of forms) {
      expect(disk).not.toContain(form);
      expect(engine.lines.join('')).not.toContain(form);
    }
    expect(disk).toContain(id);
  });
});

describe('who may do what', () => {
  it('is asked of the gateway: nothing is answered without its token', async () => {
    const { id } = await setup();

    const strangers: Record<string, string>[] = [
      {},
      { [SERVICE_TOKEN_HEADER]: 'forged' },
      { authorization: 'Bearer zsm_x' },
    ];
    for (const headers of strangers)
      expect(codeOf(await call(api(`/channels/${id}`), 'GET', headers))).toEqual([401, 'unauthorized']);
  });

  it('is decided by the kind of caller and the scope of its key', async () => {
    const app: Caller = {
      kind: 'app',
      machine_id: newId('mch'),
      slug: 'alice',
      token_id: newId('tok'),
      api_ids: [],
      allowed_methods: null,
      allowed_path_prefixes: null,
      rate_limit_per_min: null,
    };
    const as = (caller: Caller) => ({ [SERVICE_TOKEN_HEADER]: tokenFor(caller) });

    expect((await call(api('/channels'), 'GET', as(app))).status).toBe(403);
    for (const kind of ['anonymous', 'platform', 'operator'] as const)
      expect((await call(api('/channels'), 'GET', as({ kind }))).status).toBe(401);
    expect((await call(api('/channels'), 'GET', machine('read'))).status).toBe(200);
    expect((await call(api('/channels'), 'POST', machine('read'), {})).status).toBe(403);
    expect((await call(api('/channels'), 'POST', machine('forward'), {})).status).toBe(201);
  });

  it('hides a channel from machines that have not joined, exactly as one that is not there', async () => {
    const { id } = await setup();
    const nothing = `tsc_${'0'.repeat(22)}`;
    const attempts = (channel: string) => [
      call(api(`/channels/${channel}`), 'GET', eve),
      call(api(`/channels/${channel}`), 'DELETE', eve),
      call(api(`/channels/${channel}/messages`), 'GET', eve),
      call(api(`/channels/${channel}/stream`), 'GET', eve),
      call(api(`/channels/${channel}/rotate`), 'POST', eve, {}),
      send(channel, { uid: newTescUid(), message: 'x' }, eve),
    ];
    const bare = ({ status, body: { request_id: _, ...body } }: Answer) => ({ status, body });

    const hidden = (await Promise.all(attempts(id))).map(bare);
    expect(hidden).toEqual((await Promise.all(attempts(nothing))).map(bare));
    expect(hidden.every(({ status }) => status === 404)).toBe(true);
    expect((await call(api('/channels'), 'GET', eve)).body).toEqual({ channels: [] });
  });

  it('lets the creator alone rotate and remove', async () => {
    const { id } = await setup();

    expect(codeOf(await call(api(`/channels/${id}/rotate`), 'POST', bob, {}))).toEqual([403, 'forbidden']);
    expect(codeOf(await call(api(`/channels/${id}`), 'DELETE', bob))).toEqual([403, 'forbidden']);
    expect((await call(api(`/channels/${id}`), 'DELETE', alice)).status).toBe(204);
    expect((await call(api(`/channels/${id}`), 'GET', alice)).status).toBe(404);
  });
});

describe('POST …/join', () => {
  it('lets in who sends a PLAT made from the secret, which never travels', async () => {
    const { id, keys } = await setup();
    const [uid, zeqond] = [newTescUid(), zeqondOf(time.wallMs())];
    const plat = hex(platOf(keys.plat, joinPlatFields({ channel: id, uid, zeqond, previous: NO_PLAT })));

    const { status, body } = await call(api(`/channels/${id}/join`), 'POST', eve, { uid, zeqond, plat });

    expect([status, body.uid, body.plat, body.key_version]).toEqual([201, uid, plat, 1]);
    expect(body).toMatchObject({
      serverZeqond: expect.any(Number),
      drift: expect.any(Number),
      correctionMs: expect.any(Number),
    });
    expect(codeOf(await call(api(`/channels/${id}/join`), 'POST', eve, { uid, zeqond, plat }))).toEqual([
      409,
      'plat_replayed',
    ]);
  });

  it('refuses a wrong secret, a wrong PLAT and a PLAT of another moment', async () => {
    const { id, keys } = await setup();
    const uid = newTescUid();
    const join = (body: object) => call(api(`/channels/${id}/join`), 'POST', machine(), body);
    const platAt = (zeqond: number) =>
      hex(platOf(keys.plat, joinPlatFields({ channel: id, uid, zeqond, previous: NO_PLAT })));
    const now = zeqondOf(time.wallMs());

    expect(codeOf(await join({ secret: 'not the secret but long enough to be one' }))).toEqual([
      401,
      'plat_invalid',
    ]);
    expect(codeOf(await join({ uid, zeqond: now, plat: 'ab'.repeat(32) }))).toEqual([401, 'plat_invalid']);
    expect(codeOf(await join({ uid, zeqond: now, plat: platAt(now + 1) }))).toEqual([401, 'plat_invalid']);
    expect(codeOf(await join({ uid, zeqond: now - 3, plat: platAt(now - 3) }))).toEqual([
      409,
      'zeqond_window_closed',
    ]);
  });

  it('is limited, because each attempt costs a derivation', async () => {
    const { id } = await setup();
    const mallory = machine();
    const attempts = await Promise.all(
      Array.from({ length: 22 }, () =>
        call(api(`/channels/${id}/join`), 'POST', mallory, { secret: 'x'.repeat(40) }),
      ),
    );

    expect(attempts.filter(({ status }) => status === 429)).toHaveLength(2);
    expect(attempts.find(({ status }) => status === 429)!.headers.get('retry-after')).toBeTruthy();
  });
});

describe('POST …/messages', () => {
  it('takes messages that clients seal, and other clients open them', async () => {
    const { id, keys, uid, plat } = await setup();
    const first = seal(keys, id, { uid, prev: plat, text: 'one' });
    const second = seal(keys, id, { uid, prev: first.plat, text: 'two' });

    const answers = [await send(id, first), await send(id, second)];
    const { body } = await call(api(`/channels/${id}/messages`), 'GET', alice);

    expect(answers.map(({ status, body }) => [status, body.seq])).toEqual([
      [201, 1],
      [201, 2],
    ]);
    expect(MessageList.parse(body)).toEqual(body);
    const texts = (body.messages as TescMessage[]).map((message) =>
      openMessage(
        keys,
        { channel: id, uid: message.uid, zeqond: message.zeqond, previous: Buffer.from(message.prev, 'hex') },
        {
          iv: Buffer.from(message.iv, 'base64url'),
          ciphertext: Buffer.from(message.ciphertext, 'base64url'),
        },
      ).toString(),
    );
    expect(texts).toEqual(['one', 'two']);
    expect(body.next).toBe(2);
  });

  it('seals a plain text itself, and opens it for members who ask', async () => {
    const { id, uid } = await setup();
    await send(id, { uid, message: 'grüß dich' });
    await send(id, { uid, message: 'again' });

    const sealed = await call(api(`/channels/${id}/messages`), 'GET', alice);
    const opened = await call(api(`/channels/${id}/messages?open=1`), 'GET', alice);

    expect(sealed.body.messages[0].message).toBeUndefined();
    expect(opened.body.messages.map(({ message }: TescMessage) => message)).toEqual(['grüß dich', 'again']);
  });

  it.each([-3, -2, -1, 0, 1, 2, 3])('judges a message %i Zeqonds away by the window', async (offset) => {
    const { id, keys, uid, plat } = await setup();
    const inside = Math.abs(offset) <= 1;
    await awayFromBorder();
    const answer = await send(
      id,
      seal(keys, id, { uid, prev: plat, zeqond: zeqondOf(time.wallMs()) + offset }),
    );

    expect(answer.status).toBe(inside ? 201 : 409);
    expect(answer.body.code).toBe(inside ? undefined : 'zeqond_window_closed');
    expect(answer.body).toMatchObject({
      drift: offset,
      correctionMs: (0 - offset) * ZEQOND_MS,
      serverZeqond: expect.any(Number),
    });
    if (!inside) expect(answer.body.title).toBe('zeqond window closed');
  });

  it.each([-1, 0, 1])('refuses a replay at offset %i inside the window', async (offset) => {
    const { id, keys, uid, plat } = await setup();
    await awayFromBorder();
    const message = seal(keys, id, { uid, prev: plat });
    expect((await send(id, message)).status).toBe(201);

    offsetMs = -offset * ZEQOND_MS;

    expect(codeOf(await send(id, message))).toEqual([409, 'plat_replayed']);
    const next = seal(keys, id, { uid, prev: message.plat });
    expect((await send(id, next)).status).toBe(201);
    expect(codeOf(await send(id, message))).toEqual([409, 'plat_replayed']);
  });

  it('corrects a clock that is off: with the stated correction the next message counts', async () => {
    const { id, keys, uid, plat } = await setup();
    const clientMs = () => time.wallMs() - 12_345;
    const at = (ms: number) => ({ zeqond: zeqondOf(ms), phase: (ms % ZEQOND_MS) / ZEQOND_MS });
    const late = at(clientMs());
    const refused = await send(id, {
      ...seal(keys, id, { uid, prev: plat, zeqond: late.zeqond }),
      phase: late.phase,
    });
    const { correctionMs } = refused.body;

    expect(codeOf(refused)).toEqual([409, 'zeqond_window_closed']);
    expect(Math.abs(correctionMs - 12_345)).toBeLessThan(250);
    const corrected = at(clientMs() + correctionMs);
    expect((await send(id, seal(keys, id, { uid, prev: plat, zeqond: corrected.zeqond }))).status).toBe(201);
  });

  it('refuses a message in which any part was changed', async () => {
    const { id, keys, uid, plat } = await setup();
    const message = seal(keys, id, { uid, prev: plat });
    const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    const changed = [
      { ...message, iv: flip(message.iv) },
      { ...message, ciphertext: flip(message.ciphertext) },
      { ...message, plat: 'ab'.repeat(32) },
      { ...message, prev: 'ab'.repeat(32) },
      { ...message, zeqond: message.zeqond + 1 },
    ];

    for (const body of changed) expect(codeOf(await send(id, body))).toEqual([401, 'plat_invalid']);
    expect((await send(id, message)).status).toBe(201);
  });

  it('refuses a message that does not follow its sender, and says what to follow', async () => {
    const { id, keys, uid, plat } = await setup();
    const first = seal(keys, id, { uid, prev: plat, text: 'first' });
    await send(id, first);
    const answer = await send(id, seal(keys, id, { uid, prev: plat, text: 'other' }));

    expect(codeOf(answer)).toEqual([409, 'conflict']);
    expect(answer.body.prev).toBe(first.plat);
    expect((await send(id, seal(keys, id, { uid, prev: answer.body.prev }))).status).toBe(201);
  });

  it('refuses a uid of somebody else in the channel', async () => {
    const { id, secret, uid } = await setup();
    await call(api(`/channels/${id}/join`), 'POST', eve, { secret });

    expect(codeOf(await send(id, { uid, message: 'not me' }, eve))).toEqual([403, 'forbidden']);
  });

  it('takes 16 KB and not one byte more, sealed or plain', async () => {
    const { id, keys, uid, plat } = await setup();
    const most = seal(keys, id, { uid, prev: plat, text: 'x'.repeat(16_384) });

    expect((await send(id, most)).status).toBe(201);
    expect((await send(id, { uid, message: 'x'.repeat(16_384) })).status).toBe(201);
    expect((await send(id, { uid, message: 'x'.repeat(16_385) })).status).toBe(400);
    expect(codeOf(await send(id, { uid, message: 'ä'.repeat(8_193) }))).toEqual([413, 'payload_too_large']);
    expect((await send(id, { ...most, ciphertext: 'A'.repeat(21_870) })).status).toBe(400);
    expect((await send(id, { uid, message: 'x'.repeat(50_000) })).status).toBe(413);
  });
});

describe('POST …/rotate', () => {
  it('lets the old secret count until the overlap ends, and then the new one alone', async () => {
    const { id, keys, uid, plat } = await setup();
    const rotated = await call(api(`/channels/${id}/rotate`), 'POST', alice, { overlap_seconds: 60 });
    const fresh = await tescKeys(rotated.body.secret, id);
    const old = seal(keys, id, { uid, prev: plat, text: 'old' });
    const next = seal(fresh, id, { uid, prev: old.plat, text: 'new' });

    expect(rotated.body.channel).toMatchObject({ key_version: 2, overlap_until: expect.any(String) });
    expect((await send(id, old)).status).toBe(201);
    expect((await send(id, next)).status).toBe(201);
    const opened = await call(api(`/channels/${id}/messages?open=1`), 'GET', alice);
    expect(
      opened.body.messages.map(({ message, key_version }: TescMessage) => [message, key_version]),
    ).toEqual([
      ['old', 1],
      ['new', 2],
    ]);
    offsetMs = 61_000;
    expect(codeOf(await send(id, seal(keys, id, { uid, prev: next.plat })))).toEqual([401, 'plat_invalid']);
    expect((await send(id, seal(fresh, id, { uid, prev: next.plat }))).status).toBe(201);
    expect(
      (await call(api(`/channels/${id}/join`), 'POST', machine(), { secret: rotated.body.secret })).status,
    ).toBe(201);
  });

  it('ends the old secret at once without an overlap', async () => {
    const { id, keys, secret, uid, plat } = await setup();
    await call(api(`/channels/${id}/rotate`), 'POST', alice, { overlap_seconds: 0 });

    expect(codeOf(await send(id, seal(keys, id, { uid, prev: plat })))).toEqual([401, 'plat_invalid']);
    expect((await call(api(`/channels/${id}/join`), 'POST', machine(), { secret })).status).toBe(401);
  });
});

describe('receiving', () => {
  it('waits for a first message, and answers empty when none comes', async () => {
    const { id, uid } = await setup();
    const startedAt = performance.now();
    const empty = await call(api(`/channels/${id}/messages?wait=1`), 'GET', alice);
    const waited = performance.now() - startedAt;
    const waiting = call(api(`/channels/${id}/messages?wait=20&open=1`), 'GET', alice);
    await send(id, { uid, message: 'now' });

    expect(empty.body).toEqual({ messages: [], next: 0, serverZeqond: expect.any(Number) });
    expect(waited).toBeGreaterThan(900);
    expect((await waiting).body.messages[0].message).toBe('now');
    expect(engine.tesc!.waiting.size).toBe(0);
  });

  it('streams messages as server-sent events, and goes on after Last-Event-ID', async () => {
    const { id, uid } = await setup();
    await send(id, { uid, message: 'one' });
    const reading = readEvents(api(`/channels/${id}/stream?open=1`), 2, alice);
    await send(id, { uid, message: 'two' });
    const { events } = await reading;
    const rest = await readEvents(api(`/channels/${id}/stream?open=1`), 1, {
      ...alice,
      'last-event-id': '1',
    });

    expect(events.map(({ id, data }) => [id, data.message])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(TescMessage.parse(events[0]!.data)).toEqual(events[0]!.data);
    expect(rest.events[0]!.data.message).toBe('two');
    for (let i = 0; i < 50 && engine.tesc!.waiting.size > 0; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(engine.tesc!.waiting.size).toBe(0);
  });

  it('sends and receives over WebSocket', async () => {
    const { id, keys, uid, plat } = await setup();
    const open = (headers: Record<string, string>) =>
      new WebSocket(`${api(`/channels/${id}/ws?open=1`).replace('http', 'ws')}`, { headers });
    const [hers, his] = [open(alice), open(bob)];
    const heard: unknown[] = [];
    hers.on('message', (data) => heard.push(JSON.parse(String(data))));
    const answers: { type: string }[] = [];
    his.on('message', (data) => answers.push(JSON.parse(String(data))));
    await Promise.all([once(hers, 'open'), once(his, 'open')]);

    his.send(JSON.stringify(seal(keys, id, { uid, prev: plat, text: 'over the wire' })));
    his.send('not json');
    while (heard.length < 1 || answers.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    hers.close();
    his.close();

    expect(heard).toEqual([expect.objectContaining({ type: 'message', seq: 1, message: 'over the wire' })]);
    expect(answers.find(({ type }) => type === 'sent')).toMatchObject({
      seq: 1,
      serverZeqond: expect.any(Number),
    });
    expect(answers.find(({ type }) => type === 'problem')).toMatchObject({
      problem: { code: 'invalid_json' },
    });
  });

  it('refuses a WebSocket to strangers before it is one', async () => {
    const { id } = await setup();
    const statusOf = async (headers: Record<string, string>) => {
      const socket = new WebSocket(`${api(`/channels/${id}/ws`).replace('http', 'ws')}`, { headers });
      const [, answer] = await once(socket, 'unexpected-response');
      answer.destroy();
      return answer.statusCode;
    };

    expect(await statusOf(eve)).toBe(404);
    expect(await statusOf({})).toBe(401);
  });
});

describe('GET /api/tesc/clock', () => {
  it('tells how far a client is off', async () => {
    const nowMs = time.wallMs();
    const zeqond = zeqondOf(nowMs) - 2;
    const { body } = await call(
      api(`/clock?zeqond=${zeqond}&phase=${(nowMs % ZEQOND_MS) / ZEQOND_MS}`),
      'GET',
    );

    expect(body.drift).toBeLessThanOrEqual(-2);
    expect(Math.abs(body.correctionMs - 2 * ZEQOND_MS)).toBeLessThan(250);
    expect((await call(api('/clock'), 'GET')).body).toMatchObject({ drift: 0, correctionMs: 0 });
  });
});

describe('TESC without ZEQ_SYNC_SECRET', () => {
  it('answers 503 tesc_disabled', async () => {
    const plain = await startEngineServer({ secret: false });
    const answers = [
      await call(`${plain.url}/api/tesc/channels`, 'POST', alice, {}),
      await call(`${plain.url}/api/tesc/channels/tsc_${'0'.repeat(22)}/messages`, 'GET', alice),
    ];
    await plain.close();

    expect(answers.map(codeOf)).toEqual([
      [503, 'tesc_disabled'],
      [503, 'tesc_disabled'],
    ]);
  });
});

/** Offsets are counted from the server's present Zeqond: it must not end between counting and sending. */
async function awayFromBorder(): Promise<void> {
  while (time.wallMs() % ZEQOND_MS > 500) await new Promise((resolve) => setTimeout(resolve, 20));
}
