import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNedb } from '../src/store/nedb.ts';
import { kept, record, storeContract } from './kit/store-contract.ts';

const newDir = () => mkdtemp(join(tmpdir(), 'operator-engine-nedb-'));

storeContract('NeDB', async () => {
  const dir = await newDir();
  return { stores: await openNedb(join(dir, 'operators')), remove: () => rm(dir, { recursive: true }) };
});

describe('the embedded store', () => {
  it('finds everything again after a restart', async () => {
    const dir = await newDir();
    const machineId = 'mch_aaaaaaaaaaaaaaaaaaaaaa';
    const moment = new Date(0);
    const first = await openNedb(dir);
    await first.operators.insert({ machineId, record: record('ONE'), createdAt: moment, updatedAt: moment });
    await first.computations.add([kept(machineId, 1)]);
    await first.close();

    const second = await openNedb(dir);

    expect((await second.operators.find(machineId, 'ONE'))?.record).toEqual(record('ONE'));
    expect(await second.computations.list(machineId, { limit: 1 })).toEqual([kept(machineId, 1)]);
    await second.close();
    await rm(dir, { recursive: true });
  });

  it('keeps a line that was cut off by a crash from hiding the others', async () => {
    const dir = await newDir();
    const machineId = 'mch_aaaaaaaaaaaaaaaaaaaaaa';
    const first = await openNedb(dir);
    await first.computations.add(Array.from({ length: 20 }, (_, n) => kept(machineId, n)));
    await first.close();
    const path = join(dir, 'computations.db');
    const text = await readFile(path, 'utf8');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path, text.slice(0, -30));

    const second = await openNedb(dir);

    expect((await second.computations.list(machineId, { limit: 50 })).length).toBeGreaterThanOrEqual(19);
    await second.close();
    await rm(dir, { recursive: true });
  });

  it('lets nobody else read its files', async () => {
    const dir = await newDir();
    const stores = await openNedb(join(dir, 'inner'));
    const modes = await Promise.all(
      ['inner', 'inner/operators.db', 'inner/computations.db'].map(
        async (name) => (await stat(join(dir, name))).mode & 0o777,
      ),
    );

    expect(modes).toEqual([0o700, 0o600, 0o600]);
    await stores.close();
    await rm(dir, { recursive: true });
  });
});
