import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildLogger, openRedis, type RedisLink, SharedWindows } from '@zeq/service-kit';
import { ApiState } from '../src/limits/api-state.ts';
import { type CallWindow, ReplicatedWindows } from '../src/limits/call-windows.ts';
import { callWindowsContract } from './call-windows.contract.ts';

const url = process.env.TEST_REDIS_URL ?? '';
if (url === '') throw new Error('TEST_REDIS_URL is not set');

const log = buildLogger('test', 'silent');
const links: RedisLink[] = [];

async function openLink(address = url): Promise<RedisLink> {
  const link = openRedis(address, log);
  links.push(link);
  for (let i = 0; i < 100 && !link.isUp; i++) await sleep(20);
  return link;
}

afterAll(() => Promise.all(links.map((link) => link.close())));

let first: RedisLink;
beforeAll(async () => {
  first = await openLink();
});
callWindowsContract('in Redis', () => new ReplicatedWindows(first));

/** A window as each replica sees it: the same id, a state of its own. */
const seenBy = (replicas: number, id: string, limit: number): CallWindow[] =>
  Array.from({ length: replicas }, () => ({ state: new ApiState(id), limit }));

async function admitted(
  replicas: ReplicatedWindows[],
  windows: CallWindow[],
  calls: number,
): Promise<number> {
  const verdicts = await Promise.all(
    Array.from({ length: calls }, (_, i) => {
      const at = i % replicas.length;
      return replicas[at]!.take([windows[at]!], performance.now());
    }),
  );
  return verdicts.filter(({ refusedBy }) => refusedBy < 0).length;
}

describe('three replicas on one Redis', () => {
  it('admit exactly 60 of 2000 simultaneous calls together', async () => {
    const replicas = await Promise.all([1, 2, 3].map(async () => new ReplicatedWindows(await openLink())));
    const windows = seenBy(3, `three-${Date.now()}`, 60);

    expect(await admitted(replicas, windows, 2_000)).toBe(60);
    expect(await admitted(replicas, windows, 300)).toBe(0);
  });
});

describe('the slots of a window', () => {
  it('leave it one after the other, exactly 60 s after they came', async () => {
    const link = await openLink();
    const id = `slots-${Date.now()}`;
    const shared = new SharedWindows(link, 'zeq:test:');
    const [seconds, micros] = await link.client.time();
    const slot = Math.floor((Number(seconds) * 1000 + Number(micros) / 1000) / 100);
    const left = slot - 602; // gone
    const leaving = slot - 590; // for about one more second
    await link.client.rpush(`zeq:test:{${id}}`, `${left}:7`, `${leaving}:2`, `${slot - 10}:1`);
    await link.client.set(`zeq:test:{${id}}:n`, 10);

    const full = await shared.take([{ id, limit: 3 }]);
    await sleep(full.waitMs + 5);
    const room = await shared.take([{ id, limit: 3 }]);

    expect(full.refusedBy).toBe(0);
    expect(full.waitMs).toBeGreaterThan(0);
    expect(full.waitMs).toBeLessThanOrEqual(1_300);
    expect([room.refusedBy, room.used]).toEqual([-1, 2]);
  });

  it('are counted anew when the total was evicted', async () => {
    const link = await openLink();
    const id = `evicted-${Date.now()}`;
    const shared = new SharedWindows(link, 'zeq:test:');
    for (let i = 0; i < 5; i++) await shared.take([{ id, limit: 10 }]);
    await link.client.del(`zeq:test:{${id}}:n`);

    expect((await shared.take([{ id, limit: 10 }])).used).toBe(6);
  });

  it('leave nothing behind in Redis', async () => {
    const link = await openLink();
    const id = `ttl-${Date.now()}`;
    await new SharedWindows(link, 'zeq:test:').take([{ id, limit: 1 }]);

    const lives = await Promise.all(
      [`zeq:test:{${id}}`, `zeq:test:{${id}}:n`].map((key) => link.client.pttl(key)),
    );

    expect(lives.every((ms) => ms > 0 && ms <= 60_100)).toBe(true);
  });
});

describe('Redis that goes away', () => {
  let server: ChildProcess;
  let folder: string;
  let address: string; // a socket file: while Redis is away nobody else can get a port of its

  const start = async () => {
    server = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', address, '--save', '', '--appendonly', 'no', '--dir', folder],
      { stdio: 'ignore' },
    );
    await once(server, 'spawn');
  };
  const stop = async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zeq-redis-'));
    address = join(folder, 'redis.sock');
    await start();
  });

  afterAll(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });

  it('leaves every replica its own count, in the middle of a run, and is used again when it is back', async () => {
    const pair = await Promise.all([openLink(address), openLink(address)]);
    const replicas = pair.map((link) => new ReplicatedWindows(link));
    const windows = seenBy(2, 'crash', 60);

    const before = await admitted(replicas, windows, 40);
    await stop();
    const during = await admitted(replicas, windows, 400);
    while (pair.some(({ isUp }) => isUp)) await sleep(5); // the end of a connection may be heard after its last commands
    await start();
    for (let i = 0; i < 1_000 && !pair.every(({ isUp }) => isUp); i++) await sleep(20);
    const fresh = seenBy(2, 'after', 60);
    const after = await admitted(replicas, fresh, 500);

    expect(before).toBe(40);
    expect(during).toBe(2 * 60 - 40); // each replica has its whole limit, and knows what it admitted before
    expect([server.exitCode, ...pair.map(({ client }) => client.status)]).toEqual([null, 'ready', 'ready']);
    expect(after).toBe(60);
  }, 60_000);

  it('is tried anew when a connection opens and nothing answers on it', async () => {
    let connections = 0;
    const silent = createServer((socket) => {
      connections += 1;
      socket.resume();
    }).listen(join(folder, 'silent.sock'));
    await once(silent, 'listening');
    const link = openRedis(join(folder, 'silent.sock'), log);
    for (let i = 0; i < 500 && connections < 2; i++) await sleep(20);

    await link.close();
    silent.close();
    expect(connections).toBeGreaterThanOrEqual(2);
  }, 20_000);

  it('makes a call wait no longer than it takes to notice that it hangs', async () => {
    const link = await openLink(address);
    const replica = new ReplicatedWindows(link);
    server.kill('SIGSTOP');

    const { refusedBy } = await replica.take([{ state: new ApiState('hang'), limit: 5 }], performance.now());

    server.kill('SIGCONT'); // only now: whoever waited for Redis would not have come here
    expect(refusedBy).toBe(-1);
  });
});
