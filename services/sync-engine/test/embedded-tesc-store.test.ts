import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedTescStore } from '../src/tesc/embedded-tesc-store.ts';
import { tescStoreContract } from './tesc-store.contract.ts';

const folders: string[] = [];
async function newPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zeq-tesc-test-'));
  folders.push(folder);
  return join(folder, 'channels.jsonl');
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

tescStoreContract('a journal', async () => {
  const path = await newPath();
  return { store: await EmbeddedTescStore.open(path), again: () => EmbeddedTescStore.open(path) };
});

const channel = (id: string) => ({
  id,
  name: null,
  ownerId: 'mch_1',
  createdAt: 1,
  messageTtlSeconds: 60,
  seed: Buffer.alloc(32),
  salt: Buffer.alloc(32),
});
const key = (mark: string) => ({
  version: 1,
  sealed: { iv: Buffer.alloc(12), ciphertext: Buffer.from(mark), kid: '0' },
  retiresAt: null,
});

describe('the journal of channels', () => {
  it('leaves out a last line that a crash tore', async () => {
    const path = await newPath();
    const store = await EmbeddedTescStore.open(path);
    await store.create(channel('tsc_1'), key('a'));
    await store.close();
    await appendFile(path, '{"op":"removed","id":"tsc');

    const again = await EmbeddedTescStore.open(path);

    expect(await again.find('tsc_1')).toBeDefined();
    await again.create(channel('tsc_2'), key('b'));
    await again.close();
    expect(await (await EmbeddedTescStore.open(path)).find('tsc_2')).toBeDefined();
  });

  it('refuses to begin without what it cannot read', async () => {
    const path = await newPath();
    await appendFile(path, 'not json\n{}\n');

    await expect(EmbeddedTescStore.open(path)).rejects.toThrow(SyntaxError);
  });

  it('leaves nothing of a removed channel or a replaced secret on the disk, and the file to its owner', async () => {
    const path = await newPath();
    const store = await EmbeddedTescStore.open(path);
    await store.create(channel('tsc_1'), key('first-secret'));
    await store.rotate('tsc_1', { ...key('second-secret'), version: 2 }, 5, 5);
    const hex = (text: string) => Buffer.from(text).toString('hex');

    expect(await readFile(path, 'utf8')).not.toContain(hex('first-secret'));
    expect(await readFile(path, 'utf8')).toContain(hex('second-secret'));
    await store.remove('tsc_1', 'mch_1');
    expect(await readFile(path, 'utf8')).toBe('');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await store.close();
  });
});
