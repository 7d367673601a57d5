import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tick } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import { ChainWatch } from '../src/chain-watch.ts';
import { Witness } from '../src/witness.ts';
import { signerFrom, TestChain } from './chains.ts';

const log = buildLogger('test', 'silent');
const folders: string[] = [];
const witnesses: Witness[] = [];
afterAll(async () => {
  await Promise.all(witnesses.map((witness) => witness.close()));
  await Promise.all([...new Set(folders)].map((folder) => rm(folder, { recursive: true })));
});

async function setup(folder?: string, keepEvery?: number) {
  const place = folder ?? (await mkdtemp(join(tmpdir(), 'zeq-witness-test-')));
  folders.push(place);
  const witness = await Witness.open(place, log, keepEvery);
  witnesses.push(witness);
  const heard: Tick[] = [];
  const watch = new ChainWatch({
    witness,
    log,
    onTick: (tick) => void heard.push(tick),
    now: () => new Date('2026-01-01T00:00:00Z'),
  });
  const chain = new TestChain();
  const show = async (ticks: readonly Tick[], from = chain) => {
    for (const tick of ticks) await watch.receive(tick, from, 0);
  };
  return {
    folder: place,
    witness,
    watch,
    chain,
    heard,
    show,
    faults: () => witness.faults.map(({ fault }) => fault),
  };
}

describe('the watch over the chain', () => {
  it('believes a chain that verifies, tick by tick, from several engines', async () => {
    const { chain, show, heard, faults } = await setup();
    const second = new TestChain('http://other');
    const ticks = chain.grow(20);

    for (const tick of ticks) {
      await show([tick]);
      await show([tick], second);
    }

    expect(heard).toEqual(ticks);
    expect(faults()).toEqual([]);
  });

  it('fetches and checks what it missed', async () => {
    const { chain, show, heard, faults } = await setup();
    await show(chain.grow(3));
    chain.grow(1100);
    const [last] = chain.grow(1);

    await show([last!]);

    expect(heard.at(-1)).toEqual(last);
    expect(chain.asked).toBe(2);
    expect(faults()).toEqual([]);
  });

  it('asks again with the next tick when what it missed cannot be had', async () => {
    const { chain, show, heard, faults } = await setup();
    await show(chain.grow(3));
    chain.grow(5);
    chain.away = true;
    await show(chain.grow(1));
    expect(heard).toHaveLength(3);
    chain.away = false;
    const [last] = chain.grow(1);
    await show([last!]);

    expect(heard.at(-1)).toEqual(last);
    expect(faults()).toEqual([]);
  });

  it('raises a fault for a tick in which anything was changed, and is not moved by it', async () => {
    const { chain, show, heard, faults, witness } = await setup();
    const [one, two] = chain.grow(2);
    await show([one!, { ...two!, connections: 9 }, two!]);

    expect(faults()).toEqual(['signature']);
    expect(heard).toEqual([one, two]);
    expect(witness.faults[0]).toEqual({
      fault: 'signature',
      detail: 'the signature of a tick does not verify',
      engine: 'http://engine',
      at: '2026-01-01T00:00:00.000Z',
      evidence: { seen: { ...two!, connections: 9 }, witnessed: one },
    });
  });

  it('raises a fault for a fork, with both signed ticks as evidence', async () => {
    const { chain, show, faults, witness } = await setup();
    const other = new TestChain('http://other');
    const [mine] = chain.grow(1);
    const [theirs] = other.grow(1, 7);

    await show([mine!]);
    await show([theirs!], other);

    expect(faults()).toEqual(['fork']);
    expect(witness.faults[0]!.evidence).toEqual({ seen: theirs, witnessed: mine });
  });

  it('raises a fault for a chain that was cut and has grown anew', async () => {
    const { chain, show, faults } = await setup();
    await show(chain.grow(20));
    const { zeqond } = chain.ticks[19]!;
    chain.ticks = chain.ticks.slice(0, 10);
    chain.grow(1, 5);
    await show(chain.ticks.slice(-1));
    expect(faults()).toEqual([]); // as old as what was seen: it may be a late copy
    while (chain.ticks.at(-1)!.zeqond < zeqond) chain.grow(1, 5);

    await show(chain.ticks.slice(-1));

    expect(faults()).toEqual(['fork']);
  });

  it('raises a fault for another key and another uid', async () => {
    for (const signer of [signerFrom(6), signerFrom(5, 'somebody')]) {
      const { chain, show, faults } = await setup();
      await show(chain.grow(2));
      const stranger = new TestChain('http://stranger', signer);
      await show(stranger.grow(1), stranger);
      expect(faults()).toEqual(['foreign']);
    }
  });

  it('believes only the key it was told, from the first tick on', async () => {
    const { folder, chain } = await setup();
    const witness = await Witness.open(folder, log);
    const publicKey = Buffer.from(signerFrom(6).publicKey).toString('hex');
    const watch = new ChainWatch({ witness, log, publicKey, onTick: () => undefined, now: () => new Date() });

    await watch.receive(chain.grow(1)[0]!, chain, 0);

    expect(witness.faults.map(({ fault }) => fault)).toEqual(['foreign']);
  });
});

describe('the witness', () => {
  it('remembers over a restart what the chain was, and finds a tail that was cut off', async () => {
    const first = await setup();
    await first.show(first.chain.grow(12));
    await first.witness.close();

    const second = await setup(first.folder);
    second.chain.ticks = first.chain.ticks.slice(0, 8);
    await second.watch.greet(second.chain);

    expect(second.faults()).toEqual(['cut']);
  });

  it('finds a chain that was computed anew with the right keys', async () => {
    const first = await setup();
    await first.show(first.chain.grow(12));
    await first.witness.close();

    const second = await setup(first.folder);
    second.chain.grow(30, 4);
    await second.watch.greet(second.chain);

    expect(second.faults()).toContain('rewritten');
  });

  it('finds that an old part was changed under a head that still stands', async () => {
    const { chain, show, watch, faults } = await setup();
    await show(chain.grow(3));
    const rewritten = new TestChain();
    rewritten.grow(3, 9);
    chain.ticks[0] = rewritten.ticks[0]!;

    await watch.greet(chain);

    expect(faults()).toEqual(['rewritten']);
  });

  it('is content with the same chain, also after old ticks were moved away', async () => {
    const { chain, show, watch, faults } = await setup();
    await show(chain.grow(5));
    await watch.greet(chain);
    const page = chain.page;
    chain.page = async (from, to) => ({
      ...(await page(from, to)),
      first_depth: 5,
      ticks: from < 5 ? [] : (await page(from, to)).ticks,
    });
    await watch.greet(chain);

    expect(faults()).toEqual([]);
  });

  it('keeps a fault visible over restarts until a person removes the file', async () => {
    const first = await setup();
    const [one, two] = first.chain.grow(2);
    await first.show([one!, { ...two!, connections: 9 }, { ...two!, connections: 10 }]);
    await first.witness.close();

    const second = await setup(first.folder);
    expect(second.faults()).toEqual(['signature']);
    await rm(join(first.folder, 'faults.json'));
    expect((await setup(first.folder)).faults()).toEqual([]);
  });

  it('keeps one head of many for good, and files to their owner', async () => {
    const { folder, chain, show, witness } = await setup(undefined, 10);
    await show(chain.grow(26));
    await witness.close();
    const kept = (await readFile(join(folder, 'heads.jsonl'), 'utf8')).trim().split('\n');

    expect(kept.map((line) => JSON.parse(line).tesc.depth)).toEqual([1, 11, 21]);
    expect(JSON.parse(await readFile(join(folder, 'head.json'), 'utf8')).tesc.depth).toBe(26);
    for (const name of await readdir(folder))
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('refuses to begin with a head that does not verify', async () => {
    const { folder, chain, show, witness } = await setup();
    await show(chain.grow(1));
    await witness.close();
    await writeFile(join(folder, 'head.json'), JSON.stringify({ ...chain.ticks[0], connections: 5 }));

    await expect(Witness.open(folder, log)).rejects.toThrow('does not verify (signature)');
  });
});
