import type { UsageBatch } from '@zeq/contracts';
import { UsageBatch as UsageBatchSchema } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import type { ForwardCaller } from '../../src/decision/identity.ts';
import type { LeasedApi } from '../../src/leases/leased-api.ts';
import { CallRecord } from '../../src/usage/call-record.ts';
import { type RecorderOptions, UsageRecorder } from '../../src/usage/usage-recorder.ts';

const START = Date.parse('2026-03-10T12:34:56.789Z');
const KEY = newId('key');
const caller: ForwardCaller = {
  kind: 'owner',
  machine_id: newId('mch'),
  slug: 'alice',
  key_id: KEY,
  scope: 'owner',
};

/** All that the recorder wants of a lease. */
const apiOf = (id = newId('api')): LeasedApi => ({ lease: { api_id: id }, secrets: undefined }) as LeasedApi;

/** A recorder on a clock and before a vault that the test commands. */
function setup(options: Partial<RecorderOptions> = {}) {
  const state = {
    now: START,
    clock: 1_000,
    /** What the vault has counted: each batch once, as its own code does. */
    counted: [] as UsageBatch[],
    sent: [] as UsageBatch[],
    whileSending: (): void => undefined,
    answer: 'taken' as 'taken' | 'refused' | 'away' | 'lost',
  };
  let lastSeq = 0;
  const sink = {
    async reportUsage(batch: UsageBatch) {
      state.sent.push(structuredClone(batch));
      state.whileSending();
      if (state.answer === 'away') throw new Error('away');
      if (state.answer === 'refused') return 'refused' as const;
      if (batch.seq > lastSeq) state.counted.push(UsageBatchSchema.parse(batch));
      lastSeq = Math.max(lastSeq, batch.seq);
      if (state.answer === 'lost') throw new Error('the answer was lost');
      return 'taken' as const;
    },
  };
  const recorder = new UsageRecorder({
    sink,
    instance: 'i'.repeat(22),
    log: buildLogger('test', 'silent'),
    now: () => state.now,
    clock: () => state.clock,
    ...options,
  });
  const add = (api: LeasedApi, end: { outcome?: string; status?: number; rest?: string } = {}) => {
    const call = new CallRecord(
      'call',
      caller,
      'POST',
      end.rest ?? '/v1/x?key=1',
      'request-1',
      state.clock - 20,
    );
    call.api = api;
    call.sent = 1;
    call.bytesOut = 100;
    call.end(end.outcome ?? 'ok', end.status ?? 200, false);
    recorder.add(call);
  };
  /** One tick, and everything that follows from it. */
  const tick = async (afterMs = 60_000) => {
    state.clock += afterMs;
    recorder.tick();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const requests = () => state.counted.flatMap(({ minutes }) => minutes).reduce((n, m) => n + m.requests, 0);
  return { state, recorder, add, tick, requests };
}

describe('the usage recorder', () => {
  it('reports sums and single calls in the form that the vault takes', async () => {
    const { state, add, tick } = setup();
    const api = apiOf();

    add(api);
    add(api, { outcome: 'rate_limited', status: 429 });
    await tick();

    expect(state.counted).toHaveLength(1);
    const { minutes, calls } = state.counted[0]!;
    expect(minutes).toEqual([
      {
        api_id: api.lease.api_id,
        minute: Math.floor(START / 60_000),
        requests: 2,
        sent: 2,
        status: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 1, '5xx': 0, none: 0 },
        errors: 1,
        aborted: 0,
        refused: { rate_limited: 1 },
        websockets: 0,
        tests: 0,
        bytes_in: 0,
        bytes_out: 200,
        latency: { '222': 2 },
        tokens_in: 0,
        tokens_out: 0,
      },
    ]);
    expect(calls[1]).toEqual({
      api_id: api.lease.api_id,
      at: START - 20,
      kind: 'call',
      caller_id: KEY,
      method: 'POST',
      path: '/v1/x',
      status: 429,
      outcome: 'refused',
      code: 'rate_limited',
      duration_ms: 20,
      bytes_in: 0,
      bytes_out: 100,
      tokens_in: null,
      tokens_out: null,
      request_id: 'request-1',
    });
  });

  it('sends nothing when there is nothing, and nothing of a call without an API', async () => {
    const { state, recorder, tick } = setup();

    recorder.add(new CallRecord('call', caller, 'GET', '/', 'request-1', 0));
    await tick();

    expect(state.sent).toEqual([]);
  });

  it('sends a batch again, unchanged, until it is answered, and counts nothing twice when only the answer was lost', async () => {
    const { state, add, tick, requests } = setup();
    const api = apiOf();

    add(api);
    state.answer = 'lost';
    await tick();
    add(api);
    await tick();
    state.answer = 'taken';
    await tick();

    expect(state.sent.map(({ seq }) => seq)).toEqual([1, 1, 1, 2]);
    expect(state.sent[1]).toEqual(state.sent[0]);
    expect(requests()).toBe(2);
  });

  it('waits longer from failure to failure, and not once it has succeeded', async () => {
    const { state, add, tick } = setup();
    add(apiOf());
    state.answer = 'away';
    const attempts = async (ticks: number) => {
      const before = state.sent.length;
      for (let i = 0; i < ticks; i += 1) await tick(1_000);
      return state.sent.length - before;
    };

    expect(await attempts(60)).toBeLessThanOrEqual(14); // 1, 2, 4, 8, then at least every 7.5 s
    expect(await attempts(60)).toBeLessThanOrEqual(8);
    state.answer = 'taken';
    await tick(15_000);
    add(apiOf());
    expect(await attempts(1)).toBe(1);
  });

  it('is exact after a long absence, with sums made coarser and the oldest single calls given up', async () => {
    const { state, recorder, add, tick, requests } = setup({ maxTallies: 50, maxCalls: 100 });
    const apis = Array.from({ length: 7 }, () => apiOf());
    state.answer = 'away';

    for (let minute = 0; minute < 300; minute += 1) {
      state.now += 60_000;
      for (const api of apis) add(api);
      await tick();
    }
    expect(recorder.depth.tallies).toBeLessThanOrEqual(60);
    state.answer = 'taken';
    await tick();

    expect(requests()).toBe(2_100);
    for (const api of apis) {
      const minutes = state.counted.flatMap((batch) => batch.minutes);
      const own = minutes.filter(({ api_id }) => api_id === api.lease.api_id);
      expect(own.reduce((n, m) => n + m.requests, 0)).toBe(300);
    }
    const calls = state.counted.flatMap((batch) => batch.calls);
    expect(calls.length + recorder.droppedCalls).toBe(2_100);
    expect(calls.at(-1)!.at).toBe(state.now - 20);
    expect(recorder.depth).toEqual({ tallies: 0, calls: 0 });
  });

  it('has room for a call as long as it fits beside what waits, what is being sent, and what is open', async () => {
    const { state, recorder, add, tick } = setup({ maxCalls: 10 });
    for (let i = 0; i < 4; i += 1) add(apiOf());
    state.answer = 'away';
    await tick();
    for (let i = 0; i < 3; i += 1) add(apiOf());

    expect([recorder.hasRoom(2), recorder.hasRoom(3)]).toEqual([true, false]);
    state.answer = 'taken';
    await tick();
    expect([recorder.hasRoom(9), recorder.hasRoom(10)]).toEqual([true, false]);
    expect(recorder.droppedCalls).toBe(0);
  });

  it('leaves what ends while it reports to the next tick', async () => {
    const { state, add, tick, requests } = setup();
    const api = apiOf();
    add(api);
    state.whileSending = () => add(api);

    await tick();
    const sentAtOnce = state.sent.length;
    state.whileSending = () => undefined;
    await tick();

    expect(sentAtOnce).toBe(1);
    expect(requests()).toBe(2);
    expect(state.counted.flatMap(({ calls }) => calls)).toHaveLength(2);
  });

  it('splits what is too much for one batch', async () => {
    const { state, add, tick, requests } = setup();
    for (let i = 0; i < 1_201; i += 1) add(apiOf());
    for (let i = 0; i < 3_000; i += 1) add(apiOf('api_0000000000000000000000'));

    await tick();

    expect(state.counted.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(requests()).toBe(4_201);
    expect(state.counted.flatMap(({ calls }) => calls)).toHaveLength(4_201);
  });

  it('does not lose the sums of all to one call that the vault refuses', async () => {
    const { state, recorder, add, tick } = setup();
    add(apiOf());
    state.answer = 'refused';

    await tick();

    expect(state.sent.map(({ minutes, calls }) => [minutes.length, calls.length])).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(recorder.refusedBatches).toBe(2);
    expect(recorder.depth).toEqual({ tallies: 0, calls: 0 });
  });

  it('sends everything that is left when it stops, also after failures', async () => {
    const { state, recorder, add, tick, requests } = setup();
    add(apiOf());
    state.answer = 'away';
    await tick();
    add(apiOf());
    state.answer = 'taken';

    await recorder.stop();

    expect(requests()).toBe(2);
  });
});
