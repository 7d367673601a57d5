import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordedCall, type UsageBatch, UsageBatch as UsageBatchSchema } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import type { ForwardCaller } from '../../src/decision/identity.ts';
import type { LeasedApi } from '../../src/leases/leased-api.ts';
import { CallRecord } from '../../src/usage/call-record.ts';
import { Journals } from '../../src/usage/journals.ts';
import { UsageRecorder } from '../../src/usage/usage-recorder.ts';

const caller: ForwardCaller = {
  kind: 'owner',
  machine_id: newId('mch'),
  slug: 'alice',
  key_id: newId('key'),
  scope: 'owner',
};
const api = { lease: { api_id: newId('api') }, secrets: undefined } as LeasedApi;
const turn = () => new Promise((resolve) => setImmediate(resolve));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zeq-journals-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A vault that counts each batch of each forwarder once, as the real one does. */
function openVault() {
  const counted: UsageBatch[] = [];
  const heard = new Map<string, number>();
  const vault = {
    counted,
    answer: 'taken' as 'taken' | 'away' | 'lost',
    paths: () => counted.flatMap(({ calls }) => calls.map(({ path }) => path)),
    requests: () => counted.flatMap(({ minutes }) => minutes).reduce((n, minute) => n + minute.requests, 0),
    async reportUsage(batch: UsageBatch) {
      if (vault.answer === 'away') throw new Error('away');
      if (batch.seq > (heard.get(batch.instance) ?? 0)) counted.push(UsageBatchSchema.parse(batch));
      heard.set(batch.instance, Math.max(batch.seq, heard.get(batch.instance) ?? 0));
      if (vault.answer === 'lost') throw new Error('the answer was lost');
      return 'taken' as const;
    },
  };
  return vault;
}

/** One forwarder's accounting on the shared folder. `die` is all that is left to it of a SIGKILL: its lock is free, its memory is gone. */
function openForwarder(vault: ReturnType<typeof openVault>, name: string) {
  const lines: string[] = [];
  const log = buildLogger('test', 'info', { write: (line: string) => void lines.push(line) });
  const instance = name.repeat(22);
  const journals = new Journals({ folder, instance, sink: vault, log });
  const recorder = new UsageRecorder({ sink: vault, instance, journal: journals.own, log });
  return {
    recorder,
    journals,
    lines,
    own: join(folder, instance),
    add(path: string, status = 200) {
      const call = new CallRecord('call', caller, 'POST', path, 'request-1', performance.now() - 5);
      call.api = api;
      call.sent = 1;
      call.tokensOut = 7;
      call.end('ok', status, false);
      recorder.add(call);
    },
    async tick() {
      await turn();
      recorder.tick();
      await turn();
    },
    die: () => journals.stop(),
  };
}

const journaled = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line)[2] as RecordedCall).path);

describe('the journal', () => {
  it('holds calls from the turn in which they ended until they were taken, in one file for each round of reports', async () => {
    const vault = openVault();
    const { add, tick, own, recorder, journals } = openForwarder(vault, 'a');

    add('/one?key=secret');
    add('/two');
    await turn();
    const before = journaled(join(own, '1.jsonl'));
    await tick();
    const after = readdirSync(own).filter((name) => name.endsWith('.jsonl'));
    add('/three');
    await turn();

    expect(before).toEqual(['/one', '/two']);
    expect(after).toEqual([]);
    expect(journaled(join(own, '2.jsonl'))).toEqual(['/three']);
    expect(vault.paths()).toEqual(['/one', '/two']);
    await recorder.stop();
    await journals.stop();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a killed forwarder is reported by another one, sums and calls, each once', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    first.add('/reported');
    await first.tick();
    first.add('/ended', 503);
    first.add('/ended-too');
    await turn();
    await first.die();
    const second = openForwarder(vault, 'b');

    expect(await second.journals.recover()).toBe(true);
    expect(await second.journals.recover()).toBe(true);

    expect(vault.paths()).toEqual(['/reported', '/ended', '/ended-too']);
    expect(vault.counted[1]!.instance).toBe('a'.repeat(22));
    expect(vault.counted[1]!.minutes[0]).toMatchObject({
      requests: 2,
      sent: 2,
      errors: 1,
      tokens_out: 14,
      status: expect.objectContaining({ '2xx': 1, '5xx': 1 }),
    });
    expect(Object.values(vault.counted[1]!.minutes[0]!.latency)).toEqual([2]);
    expect(readdirSync(folder)).toEqual(['b'.repeat(22)]);
    await second.journals.stop();
  });

  it('is not counted twice where only the answer had been lost', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    first.add('/one');
    vault.answer = 'lost';
    await first.tick();
    first.add('/two'); // for the batch after the one that is unsure
    await turn();
    await first.die();
    vault.answer = 'taken';
    const second = openForwarder(vault, 'b');

    await second.journals.recover();

    expect(vault.paths()).toEqual(['/one', '/two']);
    expect(vault.requests()).toBe(2);
    await second.journals.stop();
  });

  it('of a forwarder that lives is left alone', async () => {
    const vault = openVault();
    const [first, second] = [openForwarder(vault, 'a'), openForwarder(vault, 'b')];
    first.add('/one');
    await turn();

    expect(await second.journals.recover()).toBe(true);
    expect(vault.counted).toEqual([]);
    await first.tick();

    expect(vault.paths()).toEqual(['/one']);
    await Promise.all([first.journals.stop(), second.journals.stop()]);
  });

  it('waits while the vault is away, and loses nothing meanwhile', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    first.add('/one');
    await turn();
    await first.die();
    const second = openForwarder(vault, 'b');
    vault.answer = 'away';

    expect(await second.journals.recover()).toBe(false);
    vault.answer = 'taken';
    expect(await second.journals.recover()).toBe(true);

    expect(vault.paths()).toEqual(['/one']);
    await second.journals.stop();
  });

  it('makes the same batches again, however many there are', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    for (let i = 0; i < 4_500; i += 1) first.add(`/${i}`);
    await turn();
    vault.answer = 'lost'; // the first batch of three is counted, and its answer is lost
    await first.tick();
    await first.die();
    vault.answer = 'taken';
    const second = openForwarder(vault, 'b');

    await second.journals.recover();

    expect(vault.counted.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(vault.paths()).toEqual(Array.from({ length: 4_500 }, (_, i) => `/${i}`));
    expect(vault.requests()).toBe(4_500);
    await second.journals.stop();
  });

  it('with a line that was not written whole, or was spoilt, gives everything else', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    first.add('/one');
    await turn();
    appendFileSync(join(first.own, '1.jsonl'), '{"no":"call"}\n');
    first.add('/two');
    await turn();
    appendFileSync(join(first.own, '1.jsonl'), '[17957');
    writeFileSync(join(first.own, 'notes.txt'), 'not a journal');
    await first.die();
    const second = openForwarder(vault, 'b');

    await second.journals.recover();

    expect(vault.paths()).toEqual(['/one', '/two']);
    expect(second.lines.join('')).toContain('"unreadable":2');
    await second.journals.stop();
  });

  it('that cannot be written is counted, and reports go on', async () => {
    const vault = openVault();
    const { add, tick, own, recorder, lines, journals } = openForwarder(vault, 'a');
    rmSync(own, { recursive: true });

    add('/one');
    add('/two');
    await tick();

    expect(vault.paths()).toEqual(['/one', '/two']);
    expect(recorder.unjournaledCalls).toBe(2);
    expect(lines.filter((line) => line.includes('calls cannot be journaled'))).toHaveLength(1);
    await journals.stop();
  });

  it('is looked for again when its folder could not be read', async () => {
    const { journals, lines } = openForwarder(openVault(), 'a');
    rmSync(folder, { recursive: true });

    expect(await journals.recover()).toBe(false);
    expect(lines.join('')).toContain('cannot be reported just now');
    await journals.stop();
  });

  it('stays when the vault is away at a stop', async () => {
    const vault = openVault();
    const first = openForwarder(vault, 'a');
    first.add('/one');
    vault.answer = 'away';
    await first.recorder.stop();
    await first.journals.stop();
    vault.answer = 'taken';
    const second = openForwarder(vault, 'b');

    await second.journals.recover();

    expect(vault.paths()).toEqual(['/one']);
    await second.journals.stop();
  });
});
