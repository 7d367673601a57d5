import { type Caller, STALE_AFTER_MS } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { BEARER, Rig, until } from './rig.ts';
import { RawUpstream, Upstream, valuesOf } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start(), new Upstream().open()]);
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

const TOKEN_ID = newId('tok');
const held = (id: string) => rig.plane.leases.held(rig.machineId, id, performance.now());

describe('a lease', () => {
  it('is fetched once for many calls, also for those that come at the same time', async () => {
    const id = rig.register({ base_url: upstream.url });
    rig.vault.asked.length = 0;

    await Promise.all(Array.from({ length: 20 }, () => rig.fetch(id, '/x')));
    await rig.fetch(id, '/x');

    expect(rig.vault.asked).toHaveLength(1);
  });

  it('holds the new credential as soon as the change has been told', async () => {
    const id = rig.register({ base_url: upstream.url });
    await rig.fetch(id, '/x');

    rig.vault.patch(id, { auth: { ...BEARER, value: 'Bearer another' } });
    await until(() => held(id) === undefined, 'the change');
    await rig.fetch(id, '/x');

    expect(valuesOf(upstream.last.raw, 'authorization')).toEqual(['Bearer another']);
  });

  it('is dropped when the API or its machine is removed', async () => {
    const id = rig.register({ base_url: upstream.url, name: 'by-name' });
    await Promise.all([rig.fetch(id, '/x'), rig.fetch('by-name', '/x')]);

    rig.vault.remove(id);
    await until(() => held(id) === undefined && held('by-name') === undefined, 'the change');

    expect((await rig.fetch(id, '/x')).status).toBe(404);
    expect((await rig.fetch('by-name', '/x')).status).toBe(404);
  });

  it('that was sealed to somebody else is refused, and nobody is called', async () => {
    const id = rig.register({ base_url: upstream.url });
    await rig.fetch(id, '/x');
    const before = upstream.seen.length;
    rig.vault.tamper = (lease) => ({ ...lease, base_url: `${lease.base_url}/moved` });
    rig.vault.patch(id, {});
    await until(() => held(id) === undefined, 'the change');

    const res = await rig.fetch(id, '/x');

    rig.vault.tamper = undefined;
    expect([res.status, upstream.seen.length]).toEqual([500, before]);
  });

  it('is used while the vault is away, until it is 5 seconds old', async () => {
    const own = await Rig.start();
    const id = own.register({ base_url: upstream.url });
    await own.fetch(id, '/x');
    const now = performance.now();

    await own.vault.close();
    const stillServed = await own.fetch(id, '/x');

    expect(stillServed.status).toBe(200);
    expect(own.plane.leases.held(own.machineId, id, now + STALE_AFTER_MS + 2_000)).toBeUndefined();
    const other = await own.fetch(newId('api'), '/x');
    expect([other.status, other.headers.get('x-zeq-error'), other.headers.get('retry-after')]).toEqual([
      503,
      'vault_unavailable',
      '1',
    ]);
    await own.stop();
  });

  it('of an ill vault is a 503 and not our error', async () => {
    rig.vault.failWith = 500;

    const res = await rig.fetch(rig.register({ base_url: upstream.url }), '/x');

    rig.vault.failWith = undefined;
    expect([res.status, res.headers.get('x-zeq-error')]).toEqual([503, 'vault_unavailable']);
  });
});

describe('an open stream', () => {
  const EVENT =
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n';

  async function openStream(callerOf: (api: string) => Caller = () => rig.owner) {
    const source = await new RawUpstream((socket) => void socket.write(EVENT)).open();
    const api = rig.register({ base_url: source.url });
    const res = await rig.fetch(api, '/x', {}, callerOf(api));
    const reader = res.body!.getReader();
    await reader.read();
    const ended = reader.read().then(
      () => 'clean end',
      () => 'broken',
    );
    return { source, api, ended };
  }

  it.each([
    [
      'its key',
      (api: string) => void api,
      () => rig.vault.change('key_revoked', rig.machineId, rig.owner.key_id),
    ],
    ['its API', (api: string) => rig.vault.remove(api), () => undefined],
    ['its machine', () => undefined, () => rig.vault.change('machine_removed', rig.machineId, rig.machineId)],
  ])('is cut on both sides when %s is revoked', async (_what, withApi, then) => {
    const { source, api, ended } = await openStream();

    withApi(api);
    then();

    expect(await ended).toBe('broken');
    await until(() => source.sockets.size === 0, 'the upstream’s end');
    await until(() => rig.plane.live.size === 0, 'no open calls');
    await source.close();
  });

  it('goes on when another key, another token or the API’s settings change', async () => {
    const { source, api, ended } = await openStream();
    let over = false;
    void ended.then(() => {
      over = true;
    });

    rig.vault.change('key_revoked', rig.machineId, newId('key'));
    rig.vault.change('token_revoked', rig.machineId, newId('tok'));
    rig.vault.patch(api, { rate_limit_per_min: 5 });
    await until(() => held(api) === undefined, 'the changes');

    expect([over, source.sockets.size]).toEqual([false, 1]);
    rig.vault.remove(api);
    expect(await ended).toBe('broken');
    await source.close();
  });

  it('is cut when its API turns out to have gone while changes may have been missed', async () => {
    const { source, api, ended } = await openStream();

    rig.vault.forget(api);
    rig.vault.restartFeed();

    expect(await ended).toBe('broken');
    await source.close();
  });

  it.each([
    ['key', () => rig.owner.key_id, () => rig.owner],
    ['token', () => TOKEN_ID, (api: string) => rig.app([api], { token_id: TOKEN_ID })],
  ])(
    'is cut when its %s turns out to have been revoked meanwhile, however ill the vault is at first',
    async (_what, id, callerOf) => {
      const { source, ended } = await openStream(callerOf);
      rig.lines.length = 0;

      rig.vault.revoked.add(id());
      rig.vault.failWith = 503;
      rig.vault.restartFeed();
      await until(
        () => rig.lines.some((line) => line.includes('cannot be checked again yet')),
        'a failed question',
      );
      rig.vault.failWith = undefined;

      expect(await ended).toBe('broken');
      rig.vault.revoked.clear();
      await source.close();
    },
  );

  it('goes on when nothing of its ground is gone after changes may have been missed', async () => {
    const { source, api, ended } = await openStream();
    const other = await openStream();
    let over = false;
    void ended.then(() => {
      over = true;
    });

    rig.vault.forget(other.api);
    rig.vault.restartFeed();
    await other.ended; // the answer to the question has come

    expect([over, source.sockets.size]).toEqual([false, 1]);
    rig.vault.remove(api);
    await Promise.all([ended, source.close(), other.source.close()]);
  });

  it('has some seconds to end when the service stops, and is then cut', async () => {
    const own = await Rig.start();
    const source = await new RawUpstream((socket) => void socket.write(EVENT)).open();
    const res = await own.fetch(own.register({ base_url: source.url }), '/x');
    const text = res.text().then(
      () => 'clean end',
      () => 'broken',
    );

    await own.stop();

    expect(await text).toBe('broken');
    await source.close();
  });
});
