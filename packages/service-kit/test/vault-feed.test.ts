import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Change, ChangeLine } from '@zeq/contracts';
import { pino } from 'pino';
import { VaultFeed } from '../src/vault-feed.ts';

const MACHINE = `mch_${'a'.repeat(22)}`;
const change = (seq: number): Change => ({
  type: 'change',
  seq,
  what: 'api_changed',
  machine_id: MACHINE,
  id: `api_${String(seq).padStart(22, '0')}`,
});
const hello = (epoch: string, seq: number, complete: boolean): ChangeLine => ({
  type: 'hello',
  epoch,
  seq,
  complete,
});

/** A vault that says what the test tells it to. */
class FakeVault {
  readonly requests: IncomingMessage[] = [];
  streams: ServerResponse[] = [];
  greet: (query: URLSearchParams) => ChangeLine[] = () => [hello('one', 0, true)];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((req, res) => {
      this.requests.push(req);
      this.streams.push(res.writeHead(200, { 'Content-Type': 'application/x-ndjson' }));
      this.say(...this.greet(new URL(req.url ?? '/', 'http://vault').searchParams));
    });
  }

  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  say(...lines: ChangeLine[]): void {
    this.streams.at(-1)?.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  cut(): void {
    this.streams.at(-1)?.destroy();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

let vault: FakeVault;
let feed: VaultFeed;
let heard: string[];
let skew: number;

beforeEach(async () => {
  vault = new FakeVault();
  skew = 0;
  heard = [];
  feed = new VaultFeed({
    url: await vault.open(),
    token: () => 'a-service-token',
    log: pino({ level: 'silent' }),
    now: () => performance.now() + skew,
    silenceMs: 1_000,
  });
  feed.on('change', ({ seq }) => heard.push(`change ${seq}`));
  feed.on('reset', () => heard.push('reset'));
});

afterEach(async () => {
  await feed.stop();
  await vault.close();
});

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 4_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the awaited thing did not happen');
    await new Promise((done) => setTimeout(done, 5));
  }
}

describe('VaultFeed', () => {
  it('is not fresh before it has heard anything, and forgets everything at the first hello', async () => {
    expect(feed.isFresh()).toBe(false);
    expect(feed.lastHeardAt).toBe(Number.NEGATIVE_INFINITY);

    feed.start();
    await until(() => feed.isFresh());

    expect(heard).toEqual(['reset']);
    expect(vault.requests[0]?.url).toBe('/internal/changes');
    expect(vault.requests[0]?.headers['x-zeq-service']).toBe('a-service-token');
  });

  it('passes changes on in order and moves its generation with each', async () => {
    feed.start();
    await until(() => feed.isFresh());
    const before = feed.generation;

    vault.say(change(1), change(2), { type: 'alive', seq: 2 });
    await until(() => heard.length === 3);

    expect(heard).toEqual(['reset', 'change 1', 'change 2']);
    expect(feed.generation).toBe(before + 2);
  });

  it('resumes after a cut where it stood, without a reset and without a change twice', async () => {
    feed.start();
    await until(() => feed.isFresh());
    vault.say(change(1));
    await until(() => heard.includes('change 1'));
    vault.greet = () => [hello('one', 2, true), change(1), change(2)];

    vault.cut();
    await until(() => heard.includes('change 2'));

    expect(heard).toEqual(['reset', 'change 1', 'change 2']);
    expect(vault.requests[1]?.url).toBe('/internal/changes?since=1&epoch=one');
  });

  it.each([
    ['the epoch is another', hello('two', 5, true)],
    ['the log no longer holds what was missed', hello('one', 5, false)],
    ['the head lies behind what was read', hello('one', 0, true)],
  ])('forgets everything when %s', async (_why, line) => {
    feed.start();
    await until(() => feed.isFresh());
    vault.say(change(1));
    await until(() => heard.includes('change 1'));
    vault.greet = () => [line];

    vault.cut();
    await until(() => vault.requests.length === 2 && feed.isFresh());

    expect(heard).toEqual(['reset', 'change 1', 'reset']);
  });

  it('is not fresh while changes that it knows of have not arrived', async () => {
    feed.start();
    await until(() => feed.isFresh());
    vault.greet = () => [hello('one', 2, true), change(1), { type: 'alive', seq: 2 }];
    vault.cut();
    await until(() => heard.includes('change 1'));
    const { lastHeardAt } = feed;

    vault.say({ type: 'alive', seq: 2 });
    await new Promise((done) => setTimeout(done, 50));

    expect(feed.isFresh()).toBe(false);
    expect(feed.lastHeardAt).toBe(lastHeardAt);
    vault.say(change(2));
    await until(() => feed.isFresh());
  });

  it('is stale as soon as the stream is cut, and keeps the moment it was last heard', async () => {
    feed.start();
    await until(() => feed.isFresh());
    const { lastHeardAt } = feed;
    vault.greet = () => [];

    vault.cut();
    await until(() => !feed.isFresh());

    expect(feed.lastHeardAt).toBe(lastHeardAt);
  });

  it('gives up a stream that has gone silent', async () => {
    feed.start();
    await until(() => feed.isFresh());

    await until(() => vault.requests.length === 2);

    expect(vault.requests).toHaveLength(2);
  });

  it('believes no buffered heartbeat after the process stood still', async () => {
    feed.start();
    await until(() => feed.isFresh());

    skew = 10_000;
    expect(feed.isFresh()).toBe(false);
    vault.say({ type: 'alive', seq: 0 }, { type: 'alive', seq: 0 });
    await until(() => heard.length === 2);

    expect(heard).toEqual(['reset', 'reset']);
    await until(() => vault.requests.length === 2 && feed.isFresh());
  });

  it('tries again when the vault answers with an error or with nonsense', async () => {
    vault.greet = () => {
      vault.streams.at(-1)?.write('this is no JSON\n');
      vault.greet = () => [hello('one', 0, true)];
      return [];
    };

    feed.start();
    await until(() => feed.isFresh());

    expect(vault.requests).toHaveLength(2);
  });

  it('stops, and connects no more', async () => {
    feed.start();
    await until(() => feed.isFresh());

    await feed.stop();
    const { length } = vault.requests;
    await new Promise((done) => setTimeout(done, 250));

    expect(vault.requests).toHaveLength(length);
    expect(feed.isFresh()).toBe(false);
  });
});
