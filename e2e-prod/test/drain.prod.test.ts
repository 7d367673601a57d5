// A service that is told to stop: what runs through it, and what a second word does.
import { setTimeout as sleep } from 'node:timers/promises';
import { containersOf, docker, type Machine, newMachine, untilHealthy } from './mesh.ts';
import { type OpenStream, openStream } from './streams.ts';

const STREAMS = 20;
/** As many as the provider sends in eight seconds. */
const EVENTS = 40;

describe.each(['forwarder', 'gateway'])('%s on SIGTERM', (service) => {
  let machine: Machine;
  let container: string;

  beforeEach(async () => {
    machine = await newMachine();
    container = (await containersOf(service))[0]!;
  });

  afterEach(async () => {
    await docker('start', container);
    await untilHealthy(container);
  });

  const signal = () => docker('kill', '--signal', 'TERM', container);

  const state = async () =>
    (await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', container)).output.trim();

  async function untilExited(): Promise<string> {
    for (let i = 0; i < 240 && (await state()).startsWith('running'); i++) await sleep(250);
    return state();
  }

  async function open(count: number, path: string): Promise<OpenStream[]> {
    const streams = Array.from({ length: count }, () => openStream(machine, path));
    await Promise.all(streams.map(({ begun }) => begun));
    return streams;
  }

  it(`lets ${STREAMS} open streams end by themselves, cuts visibly what never ends, and exits with 0`, async () => {
    const streams = await open(STREAMS, `/events?count=${EVENTS}`);
    const [endless] = await open(1, '/events?count=1000000');

    await signal();
    const ends = await Promise.all(streams.map(({ ended }) => ended));

    expect(ends).toEqual(Array(STREAMS).fill({ events: EVENTS, ending: 'whole' }));
    expect((await endless!.ended).ending).toBe('cut');
    expect(await untilExited()).toBe('exited 0');
  });

  it('stops at once when it is told twice', async () => {
    const [stream] = await open(1, '/events?count=1000000');

    await signal();
    await signal();

    expect((await stream!.ended).ending).toBe('cut');
    expect(await untilExited()).toBe('exited 130');
  });
});
