// Every case of the published list of hostile requests, as raw bytes, at every door of a whole mesh.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Edge, startEdge } from '../../nginx/test/edge.ts';
import type { RawAnswer } from '../../nginx/test/raw-client.ts';
import { Rig } from '../../services/forwarder/test/rig.ts';
import type { HostileCase } from '../../services/gateway/test/kit/hostile-cases.ts';
import {
  type Door,
  isSlow,
  openEdgeDoor,
  openForwarderDoor,
  openGatewayDoor,
  wrongWith,
} from '../src/hostile/doors.ts';
import { type Echoed, type EchoUpstream, openEchoUpstream } from '../src/hostile/echo-upstream.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';

const FILE = new URL('../../services/gateway/test/vectors/http-hostile.json', import.meta.url);
const CASES = JSON.parse(readFileSync(FILE, 'utf8')) as HostileCase[];
const TIMEOUT_MS = 240_000;

let upstream: EchoUpstream;
let mesh: TestMesh;
let edge: Edge;
let rig: Rig;
let doors: Door[];
let pids: string;

beforeAll(async () => {
  upstream = await openEchoUpstream();
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], {
    DOMAIN: 'gateway.example.com',
    ZEQ_TRUSTED_PROXIES: '127.0.0.1',
  });
  edge = await startEdge(mesh.mesh.ports.GATEWAY_PORT!);
  rig = await Rig.start();
  doors = [
    await openGatewayDoor(mesh, upstream),
    await openEdgeDoor(mesh, upstream, edge),
    openForwarderDoor(rig, upstream),
  ];
  pids = JSON.stringify(mesh.mesh.pids());
  for (const door of doors) plays.set(door, playAll(door));
}, TIMEOUT_MS);

afterAll(async () => {
  await rig?.stop();
  await edge?.stop();
  await mesh?.stop();
  await upstream?.stop();
});

/** All doors at once; of a door the slow cases at once, and of the others a few at a time. */
const plays = new Map<Door, Promise<(RawAnswer | undefined)[]>>();
const LANES = 8;
/** Calls of others in the middle of it, at least, and what was wrong with their answers. */
const HONEST_CALLS = 200;
const strangers = new Map<Door, string[]>();

async function playAll(door: Door): Promise<(RawAnswer | undefined)[]> {
  const answers: (RawAnswer | undefined)[] = [];
  const play = async (one: HostileCase, n: number) => {
    if (door.knows(one)) answers[n] = await door.send(one, n);
  };
  const slow = CASES.map((one, n) => (isSlow(one) ? play(one, n) : undefined));
  let next = 0;
  const lane = async () => {
    while (next < CASES.length) {
      const n = next++;
      if (!isSlow(CASES[n]!)) await play(CASES[n]!, n);
    }
  };
  const others = async () => {
    const wrong: string[] = [];
    for (let n = 0; n < HONEST_CALLS || next < CASES.length; n += 1) wrong.push(...(await door.honest(n)));
    strangers.set(door, wrong);
  };
  await Promise.all([...slow, ...Array.from({ length: LANES }, lane), others()]);
  return answers;
}

describe.each(['gateway', 'edge', 'forwarder'])('hostile requests at the %s', (name) => {
  it(
    'are all ended as the list wants it',
    async () => {
      const door = doors.find((one) => one.name === name)!;
      const answers = await plays.get(door)!;

      const wrong = CASES.flatMap((one, n) => {
        const answer = answers[n];
        return answer === undefined
          ? []
          : wrongWith(one, answer, door.seen(n)).map((what) => `${one.id}: ${what}`);
      });
      expect(wrong).toEqual([]);
      expect(strangers.get(door)).toEqual([]); // everybody else got an answer, and their own
    },
    TIMEOUT_MS,
  );
});

describe('what the gateway makes of a request', () => {
  it(
    'is the same with nginx in front of it, or one of the two refuses',
    async () => {
      const [direct, behind] = doors as [Door, Door];
      await Promise.all([plays.get(direct), plays.get(behind)]);

      const differ = CASES.flatMap(({ id }, n) => {
        const [here, there] = [direct.seen(n).map(meaningOf), behind.seen(n).map(meaningOf)];
        const shared = Math.min(here.length, there.length);
        return isDeepStrictEqual(here.slice(0, shared), there.slice(0, shared)) ? [] : [{ id, here, there }];
      });
      expect(differ).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** A request as the application reads it: without which door it came through, and what each door says of itself. */
function meaningOf({ method, url, rawHeaders, body }: Echoed) {
  const lines = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && !OF_A_DOOR.test(name) ? [`${name.toLowerCase()}: ${rawHeaders[i + 1]}`] : [],
  );
  return { method, url: sameDoor(url), lines: lines.sort(), body: sameDoor(body) };
}
const sameDoor = (text: string): string =>
  text
    .replace(/hostile-[12]/g, 'hostile')
    .replace(/\/[ge](?=[0-9]+-)/g, '/')
    .replace(/zsm_[\w-]*/g, 'zsm');
/** How a body is framed, each hop says anew. */
const OF_A_DOOR = /^(?:x-request-id|connection|content-length|transfer-encoding|host)$/i;

describe('afterwards', () => {
  it('no process has ended, and none has met what nobody expected', () => {
    const folder = join(mesh.mesh.dataDir, 'logs');
    const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));

    expect(JSON.stringify(mesh.mesh.pids())).toBe(pids);
    expect(lines.length).toBeGreaterThan(CASES.length);
    expect(lines.filter((line) => /"level":(?:50|60)|unhandled/i.test(line))).toEqual([]);
  });

  it('every case of the list has been played somewhere', () => {
    const unplayed = CASES.filter((one) => !doors.some(({ knows }) => knows(one)));

    expect(unplayed.map(({ id }) => id)).toEqual(['slow/idle-10k']); // ten thousand at once: nginx/test/edge.ci.test.ts
  });
});
