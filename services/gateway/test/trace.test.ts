import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const TRACE = { traceparent: `00-${ID}-${SPAN}-01`, tracestate: 'vendor=x' };
const FORWARD = '/api/zeq/apis/alice/openai/forward/v1/chat';
const CONTROL = '/api/zeq/apis/alice';

describe('the trace of a request', () => {
  let rig: Rig;
  let alice: Person;
  beforeEach(async () => {
    rig = await startRig();
    alice = rig.register.add(owner('alice'));
  });
  afterEach(() => rig.stop());

  const ask = (path: string, headers: Record<string, string | string[]>) =>
    call(rig.url + path, { headers: { authorization: `Bearer ${alice.token}`, ...headers } });
  const seen = (path: string) => (path === FORWARD ? rig.forwarder : rig.vault).seen.at(-1)!.headers;
  async function loggedTrace(): Promise<string> {
    const lines = () => rig.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    while (lines().length === 0) await sleep(5);
    return lines()[0].trace_id;
  }

  it.each([FORWARD, CONTROL])(
    'goes on under a span of the gateway, and stands in the log: %s',
    async (path) => {
      await ask(path, TRACE);

      const { traceparent = '', tracestate, 'x-zeq-trace': own } = seen(path);
      expect(traceparent).toMatch(new RegExp(`^00-${ID}-[0-9a-f]{16}-01$`));
      expect(String(traceparent)).not.toContain(SPAN);
      expect([tracestate, own]).toEqual(['vendor=x', undefined]);
      expect(await loggedTrace()).toBe(ID);
    },
  );

  it.each([
    ['there is none', {}],
    ['it is malformed', { traceparent: 'x', tracestate: 'vendor=x' }],
    ['there are two', { traceparent: [TRACE.traceparent, TRACE.traceparent] }],
    ['it pretends to be ours', { 'x-zeq-trace': TRACE.traceparent }],
  ])('is begun where %s, and stays within the mesh', async (_name, headers) => {
    await ask(FORWARD, headers);

    const { traceparent, tracestate, 'x-zeq-trace': own } = seen(FORWARD);
    expect([traceparent, tracestate]).toEqual([undefined, undefined]);
    expect(own).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(own).toContain(await loggedTrace());
    expect(own).not.toContain(ID);
  });

  it('of several lines of tracestate is one', async () => {
    await ask(FORWARD, { ...TRACE, tracestate: ['a=1', 'b=2'] });

    expect(seen(FORWARD).tracestate).toBe('a=1,b=2');
  });

  it('stays within the mesh where ZEQ_TRACE_UPSTREAM is off', async () => {
    await rig.stop();
    rig = await startRig({ env: { ZEQ_TRACE_UPSTREAM: 'off' } });
    rig.register.add(alice);

    await ask(FORWARD, TRACE);

    const { traceparent, tracestate, 'x-zeq-trace': own } = seen(FORWARD);
    expect([traceparent, tracestate]).toEqual([undefined, undefined]);
    expect(own).toContain(ID);
  });
});
