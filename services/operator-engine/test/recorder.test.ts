import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Computation } from '@zeq/contracts';
import { buildLogger, buildMetrics, type Feed } from '@zeq/service-kit';
import { forgetRemovedMachines } from '../src/forget-removed-machines.ts';
import { Recorder } from '../src/recorder.ts';
import type { ComputationStore, KeptComputation } from '../src/store/store.ts';

const log = buildLogger('test', 'silent');

const computation = (n: number, value: number | number[] = n): Computation => ({
  version: 1,
  id: `cmp_${String(n).padStart(32, '0')}`,
  operators: ['KO42', 'KO1'],
  value,
  unit: 'm',
  results: [],
  inputs: {},
  zeqond: n,
  phase: 0,
  ko42: 0,
  r: 1,
  computed_at: new Date(n).toISOString(),
  proof: '0'.repeat(64),
});

function setup() {
  const state = { away: false, batches: [] as KeptComputation[][] };
  const store: ComputationStore = {
    add: async (batch) => {
      if (state.away) throw new Error('away');
      state.batches.push([...batch]);
    },
    list: async () => [],
    trim: async () => undefined,
  };
  const metrics = buildMetrics('test');
  const recorder = new Recorder({ store, metrics, log, now: () => 0 });
  const lost = async () =>
    (await metrics.getSingleMetric('zeq_operator_records_lost_total')!.get()).values[0]!.value;
  return { state, recorder, lost };
}

describe('Recorder', () => {
  it('writes what came close together in one batch, by itself', async () => {
    const { state, recorder } = setup();

    for (const n of [1, 2, 3]) recorder.add('mch_a', computation(n));
    await sleep(120);
    await recorder.stop();

    expect(state.batches.map((batch) => batch.map(({ zeqond }) => zeqond))).toEqual([[1, 2, 3]]);
  });

  it('keeps of a sweep how long it was, and not its values', async () => {
    const { state, recorder } = setup();

    recorder.add('mch_a', computation(1, [1, 2, 3]));
    await recorder.stop();

    expect(state.batches[0]![0]).toMatchObject({ value: null, points: 3, machineId: 'mch_a' });
  });

  it('holds records while the database is away, in their order, and loses none that have room', async () => {
    const { state, recorder, lost } = setup();
    state.away = true;
    recorder.add('mch_a', computation(1));
    await recorder.flush();
    recorder.add('mch_a', computation(2));
    await recorder.flush();
    state.away = false;

    await recorder.stop();

    expect(state.batches.flat().map(({ zeqond }) => zeqond)).toEqual([1, 2]);
    expect(await lost()).toBe(0);
  });

  it('counts what finds no room, and what is left at the end', async () => {
    const { state, recorder, lost } = setup();
    state.away = true;
    for (let n = 0; n < 10_005; n++) recorder.add('mch_a', computation(n));

    const full = await lost();
    await recorder.stop();

    expect(full).toBe(5);
    expect(await lost()).toBe(10_005);
  });
});

describe('forgetRemovedMachines', () => {
  it('removes what a removed machine has, and nothing on any other change', () => {
    const feed = new EventEmitter();
    const removed: string[] = [];
    const stores = { removeMachine: async (id: string) => void removed.push(id) };
    forgetRemovedMachines(feed as unknown as Feed, stores, log);

    feed.emit('change', { type: 'change', seq: 1, what: 'key_revoked', machine_id: 'mch_a', id: 'key_1' });
    feed.emit('change', {
      type: 'change',
      seq: 2,
      what: 'machine_removed',
      machine_id: 'mch_b',
      id: 'mch_b',
    });

    expect(removed).toEqual(['mch_b']);
  });
});
