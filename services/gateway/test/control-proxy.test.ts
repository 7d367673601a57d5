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
});
