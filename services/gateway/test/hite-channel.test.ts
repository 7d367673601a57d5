import { type Rig, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient } from './kit/hite.ts';
import { owner, type Person } from './kit/people.ts';

const bearer = ({ token }: Person) => ({ authorization: `Bearer ${token}` });

describe('a request inside the HITE channel', () => {
  let rig: Rig;
  let alice: Person;
  let client: HiteClient;
  beforeAll(async () => {
    rig = await startRig({ allServices: true, env: { ZEQ_HITE_SECRET: HITE_SECRET } });
    alice = rig.register.add(owner('alice'));
    client = await HiteClient.begin(rig.url);
  });
  afterAll(() => rig.stop());

  it('is answered by the gateway itself', async () => {
    const reply = await client.call({ path: '/health' });

    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      200,
      expect.objectContaining({ status: 'ok', hite_enabled: true }),
    ]);
  });

  it('is forwarded with its body', async () => {
    const path = '/api/zeq/apis/alice/openai/forward/v1/chat?x=1';
    const reply = await client.call({ method: 'POST', path, headers: bearer(alice), body: 'hello' });

    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      200,
      expect.objectContaining({ method: 'POST', body: 'hello' }),
    ]);
  });
});
