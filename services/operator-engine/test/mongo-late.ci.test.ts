import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { openMongo } from '../src/store/mongo.ts';

/** A door to the real server that is not there at first. */
function doorTo({ hostname, port }: URL): Server & { sockets: Set<Socket> } {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => socket.destroy()));
    near.pipe(far).pipe(near);
  });
  return Object.assign(server, { sockets });
}

describe('a store whose MongoDB is there later than the engine', () => {
  const url = new URL(process.env.TEST_MONGO_URL ?? 'mongodb://TEST_MONGO_URL-is-not-set');
  const door = doorTo(url);

  afterAll(() => {
    for (const socket of door.sockets) socket.destroy();
    door.close();
  });

  it('says that it is away, and serves as soon as it is there', async () => {
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
    const { port } = door.address() as AddressInfo;
    door.close();
    await once(door, 'close');
    const store = openMongo(`mongodb://127.0.0.1:${port}/late`);

    await expect(store.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
    door.listen(port, '127.0.0.1');
    await once(door, 'listening');

    await expect(store.ping()).resolves.toBeUndefined();
    await store.close();
  });
});
