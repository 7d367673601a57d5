import { call, type Rig, startRig } from './kit/gateway.ts';
import { owner } from './kit/people.ts';

describe('ANY /api/zeq/apis/:slug/:id/forward/*', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig();
  });
  afterEach(() => rig.stop());

  it('hands on method, path, query and body as they came, signed for the caller', async () => {
    const alice = rig.register.add(owner('alice'));

    const reply = await call(`${rig.url}/api/zeq/apis/alice/openai/forward/v1/chat//x%20y?a=1&b=%2f`, {
      method: 'POST',
      headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/json' },
      body: '{"n":1}',
    });

    expect(reply.status).toBe(200);
    const [seen] = rig.forwarder.seen;
    expect(seen).toMatchObject({
      method: 'POST',
      url: '/api/zeq/apis/alice/openai/forward/v1/chat//x%20y?a=1&b=%2f',
      body: '{"n":1}',
    });
    expect(seen?.claims?.caller).toEqual(alice.answer.caller);
    expect(seen?.headers.authorization).toBeUndefined();
  });
});
