import { gzipSync } from 'node:zlib';
import { callOf, type Outcome, play, upstreamCases } from './hostile-upstream.ts';
import { CANARY, Rig, until } from './rig.ts';
import { RawUpstream } from './upstream.ts';

const cases = upstreamCases();
/** Those that are answers byte by byte; the slow ones run with short timeouts here. */
const scripted = cases.filter(({ respond }) => respond.parts !== undefined);
/** Those that the list describes in words. */
const DESCRIBED = ['upstream/gzip-bomb', 'upstream/encoding-chain', 'upstream/connection-refused'];
/** Tested where their subject is: certificates in tls.test.ts, reflected credentials with the redaction. */
const ELSEWHERE = /^upstream\/(?:tls|reflect)-/;
const IDLE_MS = 1_000;

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(() => rig.stop());

describe('an upstream that lies', () => {
  it.each(scripted.map((row) => [row.id, row] as const))('%s', async (_id, row) => {
    const upstream = await new RawUpstream((socket) => void play(socket, row.respond.parts!)).open();
    const id = rig.register({
      base_url: upstream.url,
      policy: { first_byte_timeout_ms: IDLE_MS, idle_timeout_ms: IDLE_MS },
    });

    const answers: Outcome[] = [];
    for (let call = 0; call < (row.respond.requests ?? 1); call += 1) answers.push(await callOf(rig, id));

    const allowed = row.expect.status.split('|');
    for (const { status, body, raw } of answers) {
      expect(allowed).toContain(status);
      expect(raw).not.toContain('poisoned');
      expect(raw).not.toContain(CANARY);
      expect(raw).not.toMatch(/^x-injected:/im);
      if (row.expect.body !== undefined && status === '200') expect(body).toBe(row.expect.body);
      for (const header of row.expect.response_must_not_have ?? [])
        expect(raw.toLowerCase()).not.toContain(`\n${header.toLowerCase()}`);
      for (const header of row.expect.response_must_have ?? [])
        expect(raw.toLowerCase()).toContain(header.toLowerCase());
      if (status === '502') expect(raw).toMatch(/x-zeq-error: upstream_(?:invalid|reset)/i);
    }
    if (allowed.length === 1 && allowed[0] === '502')
      await until(() => upstream.sockets.size === 0, 'a closed connection');
    await upstream.close();
  });

  it('upstream/connection-refused', async () => {
    const upstream = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: upstream.url });
    await upstream.close();

    const { status, raw } = await callOf(rig, id);

    expect(status).toBe('502');
    expect(raw).toMatch(/x-zeq-error: connect_failed/i);
  });

  // What it costs the process in memory is measured on a process: e2e/test/gzip-bomb.load.test.ts.
  it('upstream/gzip-bomb', async () => {
    const mebibytes = 1_024;
    const member = gzipSync(Buffer.alloc(16 * 2 ** 20)); // members one behind the other are one gzip file
    const bomb = Buffer.concat(Array.from({ length: mebibytes / 16 }, () => member));
    const upstream = await new RawUpstream((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\nConnection: close\r\n\r\n`,
      );
      socket.end(bomb);
    }).open();

    const { bytes, outcome } = await swallow(rig.register({ base_url: upstream.url }));

    expect(outcome).toBe('broken');
    expect(bytes).toBeLessThan(256 * 2 ** 20);
    await upstream.close();
  });

  it('upstream/encoding-chain', async () => {
    const upstream = await new RawUpstream((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\n${'Content-Encoding: gzip\r\n'.repeat(10)}Content-Length: 2\r\n\r\nok`,
      );
    }).open();

    const { status, raw } = await callOf(rig, rig.register({ base_url: upstream.url }));

    expect(status).toBe('502');
    expect(raw).toMatch(/x-zeq-error: upstream_invalid/i);
    await upstream.close();
  });

  it('leaves nothing open', async () => {
    await until(() => rig.plane.live.size === 0, 'no open calls');
  });

  it('is tested in every case of the list', () => {
    const run = new Set([...scripted.map(({ id }) => id), ...DESCRIBED]);

    expect(cases.map(({ id }) => id).filter((id) => !run.has(id) && !ELSEWHERE.test(id))).toEqual([]);
  });
});

/** Reads an answer and keeps nothing of it. */
async function swallow(id: string) {
  let bytes = 0;
  try {
    const res = await rig.fetch(id, '/x', { headers: { 'accept-encoding': 'identity' } });
    for await (const chunk of res.body!) bytes += chunk.length;
  } catch {
    return { bytes, outcome: 'broken' };
  }
  return { bytes, outcome: 'whole' };
}
