import type { Server, ServerResponse } from 'node:http';
import { call, type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

describe('the control plane', () => {
  let rig: Rig;
  let alice: Person;
  beforeEach(async () => {
    rig = await startRig();
    alice = rig.register.add(owner('alice'));
  });
  afterEach(() => rig.stop());

  const state = () =>
    call(`${rig.url}/api/zeq/state/live`, { headers: { authorization: `Bearer ${alice.token}` } });

  it('answers 503 at once when a service is away', async () => {
    rig.engine.server.close();

    const reply = await state();

    expect(reply.status).toBe(503);
    expect(reply.headers).toMatchObject({ 'x-zeq-error': 'service_unavailable', 'retry-after': '1' });
    rig.engine.server.listen(0); // for `stop`
  });

  it('answers 503 when a service breaks off before its answer', async () => {
    rig.engine.answer = (req) => req.socket.destroy();

    const reply = await state();

    expect(reply.json()).toMatchObject({ status: 503, code: 'service_unavailable' });
  });

  it('breaks the client off visibly when a service breaks off within its answer', async () => {
    rig.engine.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('half', () => res.destroy());
    };

    await expect(state()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('keeps some of the connections that a crowd has used, not all', async () => {
    const held: ServerResponse[] = [];
    rig.engine.answer = (_req, res) => void held.push(res);
    const crowd = Array.from({ length: 100 }, state);
    while (held.length < 100) await new Promise(setImmediate);

    for (const res of held) res.end('{}');
    const statuses = (await Promise.all(crowd)).map(({ status }) => status);
    while ((await connectionsOf(rig.engine.server)) > 32) await new Promise(setImmediate);

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await connectionsOf(rig.engine.server)).toBeGreaterThan(0);
  });

  it('refuses what would have to wait for a service, and serves the other services meanwhile', async () => {
    rig.engine.answer = () => undefined;
    const waiting = Array.from({ length: 512 }, () => state().catch(() => 'ended'));
    while ((await connectionsOf(rig.engine.server)) < 512) await new Promise(setImmediate);

    const refused = await state();
    const other = await call(`${rig.url}/api/zeq/apis/alice`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });

    expect([refused.status, refused.headers['x-zeq-error'], refused.headers['retry-after']]).toEqual([
      503,
      'overloaded',
      '1',
    ]);
    expect(other.status).toBe(200);
    rig.engine.server.closeAllConnections();
    await Promise.all(waiting);
    rig.engine.answer = undefined;
    expect((await state()).status).toBe(200);
  });
});

const connectionsOf = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((err, count) => (err === null ? resolve(count) : reject(err))),
  );
