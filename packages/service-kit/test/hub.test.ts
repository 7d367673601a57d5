import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { chunk, Hub, textFrame, toFrames } from '../src/index.ts';

/** Pairs of sockets: what the hub writes to one comes out of the other. */
async function pairs(count: number) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made: { ours: Socket; theirs: Socket }[] = [];
  for (let i = 0; i < count; i += 1) {
    const theirs = connect(port, '127.0.0.1');
    const [ours] = (await once(server, 'connection')) as [Socket];
    made.push({ ours, theirs });
  }
  const close = () => {
    for (const { ours, theirs } of made) {
      ours.destroy();
      theirs.destroy();
    }
    server.close();
  };
  return { made, close };
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = '';
  for await (const bytes of socket) {
    text += bytes;
    if (text.endsWith(end)) break;
  }
  return text;
}

describe('Hub', () => {
  it('hands every message to every subscriber, in order and framed for its stream', async () => {
    const { made, close } = await pairs(3);
    const hub = new Hub();
    const kinds = ['sse_plain', 'sse_chunked', 'websocket'] as const;
    for (const [i, kind] of kinds.entries()) hub.add({ socket: made[i]!.ours, kind });
    const frames = [toFrames({ n: 1 }, 1), toFrames({ n: 2 }, 2)];
    const texts = Promise.all(kinds.map((kind, i) => readUntil(made[i]!.theirs, String(frames[1]![kind]))));

    await Promise.all(frames.map((frame) => hub.broadcast(frame)));

    expect(await texts).toEqual(kinds.map((kind) => frames.map((frame) => String(frame[kind])).join('')));
    close();
  });

  it('cuts off a subscriber that does not read, says so, and keeps the others', async () => {
    const { made, close } = await pairs(2);
    let dropped = 0;
    const hub = new Hub(() => {
      dropped += 1;
    });
    for (const { ours } of made) hub.add({ socket: ours, kind: 'sse_plain' });
    made[0]!.theirs.resume();
    made[1]!.theirs.pause();
    const big = toFrames({ text: 'x'.repeat(500_000) }, 1);

    for (let i = 0; i < 40 && hub.size > 1; i += 1) {
      await hub.broadcast(big);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }

    expect([hub.size, dropped]).toEqual([1, 1]);
    expect(made[1]!.ours.destroyed).toBe(true);
    close();
  });

  it('forgets a subscriber that leaves', async () => {
    const { made, close } = await pairs(1);
    const hub = new Hub();
    hub.add({ socket: made[0]!.ours, kind: 'websocket' });
    made[0]!.theirs.destroy();
    await once(made[0]!.ours.resume(), 'close');

    expect(hub.size).toBe(0);
    close();
  });
});

describe('frames', () => {
  it('are chunks of RFC 9112', () => {
    expect(String(chunk(Buffer.from('hello, world!!!!')))).toBe('10\r\nhello, world!!!!\r\n');
  });

  it.each([
    [0, '8100'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('are WebSocket text frames of RFC 6455 for %i bytes', (length, head) => {
    const frame = textFrame(Buffer.alloc(length, 'x'));

    expect(frame.subarray(0, head.length / 2).toString('hex')).toBe(head);
    expect(frame.length).toBe(head.length / 2 + length);
  });

  it('are events with an id', () => {
    expect(String(toFrames({ a: 1 }, 7).sse_plain)).toBe('id: 7\ndata: {"a":1}\n\n');
  });
});
