import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attestTick, type Head, headOf } from '@zeq/crypto';
import type { ChainStore } from '../src/store/chain-store.ts';
import { openFileChainStore } from '../src/store/file-chain-store.ts';
import { RECORD_BYTES } from '../src/store/tick-record.ts';
import { chainStoreContract } from './chain-store.contract.ts';
import { testSigner } from './memory-chain.ts';

const signer = testSigner();
const publicKey = Buffer.from(signer.publicKey);
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zeq-sync-test-'));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const openIn = (folder: string, uid = signer.uid, key = publicKey) =>
  openFileChainStore({ folder, uid, publicKey: key, recordsPerFile: 10 });

chainStoreContract('files', async () => {
  const folder = await newFolder();
  return { store: await openIn(folder), again: () => openIn(folder) };
});

async function fill(store: ChainStore, count: number): Promise<void> {
  const lease = await store.lead('one', 1000);
  let head: Head = await store.head();
  for (let i = 0; i < count; i += 1) {
    const tick = attestTick(signer, head, { timestampMs: (head.zeqond + 1) * 777, connections: 0 });
    await store.append(lease!, tick, 1000);
    head = headOf(tick);
  }
}

async function filled(count: number): Promise<{ folder: string; head: Head }> {
  const folder = await newFolder();
  const store = await openIn(folder);
  await fill(store, count);
  const head = await store.head();
  await store.close();
  return { folder, head };
}

const lastFile = async (folder: string) =>
  join(
    folder,
    (await readdir(folder))
      .filter((name) => name.startsWith('ticks-'))
      .sort()
      .at(-1)!,
  );

describe('openFileChainStore', () => {
  it('cuts off a tail that a crash tore, of any length, and goes on before it', async () => {
    const { folder, head } = await filled(14);
    for (const torn of [1, 100, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 7]) {
      await appendFile(await lastFile(folder), randomBytes(torn));
      const store = await openIn(folder);
      expect(await store.head()).toEqual(head);
      await store.close();
      expect((await stat(await lastFile(folder))).size).toBe(4 * RECORD_BYTES);
    }
  });

  it('goes back to the file before when the last one holds nothing whole', async () => {
    const { folder, head } = await filled(10);
    await writeFile(join(folder, 'ticks-000000000011.bin'), randomBytes(99));
    const store = await openIn(folder);

    expect(await store.head()).toEqual(head);
    await fill(store, 3);
    expect(await store.read(1, 100)).toHaveLength(13);
    await store.close();
  });

  it('goes on without old files that were moved away', async () => {
    const { folder } = await filled(25);
    await rm(join(folder, 'ticks-000000000001.bin'));
    const store = await openIn(folder);

    expect(await store.firstDepth()).toBe(11);
    expect((await store.read(1, 100)).map(({ tesc }) => tesc.depth)).toEqual(
      Array.from({ length: 15 }, (_, i) => 11 + i),
    );
    await store.close();
  });

  it('refuses to skip a record that was damaged in the middle', async () => {
    const { folder } = await filled(14);
    const handle = await open(join(folder, 'ticks-000000000001.bin'), 'r+');
    await handle.write(Buffer.from([0xff]), 0, 1, 3 * RECORD_BYTES + 40);
    await handle.close();
    const store = await openIn(folder);

    await expect(store.read(1, 100)).rejects.toThrow('the stored tick at depth 4 is damaged');
    await store.close();
  });

  it('refuses a folder without any readable tick instead of beginning anew', async () => {
    const { folder } = await filled(14);
    await rm(join(folder, 'ticks-000000000001.bin'));
    await truncate(join(folder, 'ticks-000000000011.bin'), 100);

    await expect(openIn(folder)).rejects.toThrow('no stored tick is readable');
  });

  it('refuses another uid and another key', async () => {
    const { folder } = await filled(1);

    await expect(openIn(folder, 'somebody')).rejects.toThrow('ZEQ_SYNC_UID genesis-node');
    await expect(openIn(folder, signer.uid, randomBytes(32))).rejects.toThrow('another key');
    await (await openIn(folder)).close();
  });

  it('is refused to a second one while the first has it', async () => {
    const folder = await newFolder();
    const first = await openIn(folder);

    await expect(openIn(folder)).rejects.toThrow('another process uses the data folder');
    await first.close();
    await (await openIn(folder)).close();
  });

  it('keeps its files to their owner', async () => {
    const { folder } = await filled(1);

    for (const name of await readdir(folder))
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });
});
