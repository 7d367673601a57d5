import { jest } from '@jest/globals';
import type { AuditChangeLeaf, RecordedCall } from '@zeq/contracts';
import {
  consistencyRanges,
  foldSubtrees,
  inclusionRanges,
  type LeafRange,
  MerkleTree,
  merkleLeaf,
  subtreesOf,
} from '@zeq/crypto';
import { recordCalls } from '../src/audit/record-calls.ts';
import { type AuditedChange, MESH, recordChange } from '../src/audit/record-change.ts';
import type { Database, Row } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { buildStore, storesOver } from '../src/store/sql/sql-store.ts';
import type { Store } from '../src/store/store.ts';
import { newApi, newMachine } from './store.contract.ts';
import { newCall } from './support/usage.ts';

jest.setTimeout(60_000);

const NOW = new Date('2026-03-10T12:00:00.000Z');
/** A change that concerns everybody. */
export const changeOfAll = (what: AuditChangeLeaf['what']): AuditedChange => ({
  ...{ what, by: MESH, at: NOW, machineId: null, apiIds: null, subjectId: 'x' },
});
const INSERT = `
  INSERT INTO audit_changes (what, subject_id, change, unplaced) VALUES ('', '', '', decode($1, 'base64')) RETURNING id`;
const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => merkleLeaf(`leaf ${i}`));

/** What the store of the audit log has to do, whichever database is behind it. `open` gives an empty one. */
export function auditStoreContract(name: string, open: () => Promise<Database>): void {
  describe(`the audit log over ${name}`, () => {
    let db: Database;
    let store: Store;

    beforeAll(async () => {
      db = await open();
      await migrate(db);
      store = buildStore(db);
    });
    beforeEach(async () => {
      await db.query('TRUNCATE audit_nodes, audit_changes, activity_pages, activity_heads');
      await db.query(`UPDATE audit_head SET size = 0, peaks = '', closed_size = 0, closed_root = NULL`);
    });
    afterAll(() => db.close());

    /** Leaves that say nothing. @returns Their places. */
    const append = async (leaves: readonly Buffer[]): Promise<number[]> => {
      const ids = await db.transaction(async (tx) => {
        const rows: Row[] = [];
        for (const leaf of leaves) rows.push(...(await tx.query(INSERT, [leaf.toString('base64')])));
        return rows.map(({ id }) => Number(id));
      });
      const rows = await db.query(
        'SELECT leaf FROM audit_changes WHERE id = ANY ($1::bigint[]) ORDER BY id',
        [ids],
      );
      return rows.map(({ leaf }) => Number(leaf));
    };
    const hashOf = async (range: LeafRange) => foldSubtrees(await store.audit.hashes(subtreesOf(range)));
    const addApi = async () => {
      const machine = newMachine();
      await store.machines.insert(machine);
      const api = newApi(machine.id);
      await store.apis.insert(api);
      return { machineId: machine.id, apiId: api.id };
    };
    const record = (calls: RecordedCall[]) => store.atomically((stores) => recordCalls(stores, calls));
    const change = (machineId: string | null, apiIds: string[] | null, what: AuditChangeLeaf['what']) =>
      store.atomically((stores) => recordChange(stores, { ...changeOfAll(what), machineId, apiIds }));
    const readAll = async (place: { machineId: string; apiId: string }) => {
      const { size } = await store.audit.heads();
      const span = { ...place, from: 0, to: size, since: new Date(0), until: new Date('2100-01-01') };
      return store.audit.read(span, 1000);
    };

    it('begins with the hash of nothing, taken by nobody', async () => {
      expect(await store.audit.heads()).toEqual({ size: 0, root: foldSubtrees([]), closed: undefined });
    });

    it('has the root of its leaves, however they came', async () => {
      const leaves = leavesOf(132);
      let at = 0;
      for (const size of [1, 2, 0, 7, 1, 13, 5, 35, 64, 1, 1, 2]) {
        const part = leaves.slice(at, at + size);
        expect(await append(part)).toEqual(part.map((_, i) => at + i));
        at += size;
        const { size: grown, root } = await store.audit.heads();
        expect([grown, root]).toEqual([at, new MerkleTree(leaves.slice(0, at)).root]);
      }
    });

    it('has the hashes of every proof', async () => {
      const leaves = leavesOf(21);
      await append(leaves);

      for (const [leaf, size] of [
        [0, 21],
        [20, 21],
        [7, 13],
        [12, 13],
      ] as const) {
        const path = await Promise.all(inclusionRanges(leaf, size).map(hashOf));
        expect(path).toEqual(new MerkleTree(leaves.slice(0, size)).path(leaf));
      }
      expect(await Promise.all(consistencyRanges(8, 21).map(hashOf))).toHaveLength(2);
    });

    it('says so when a part of its tree is missing', async () => {
      await append(leavesOf(4));
      await db.query('DELETE FROM audit_nodes WHERE level = 1 AND place = 0');

      await expect(hashOf({ from: 0, to: 2 })).rejects.toThrow('lacks a part of its tree');
    });

    it('gives each leaf a place of its own when many append at once', async () => {
      const leaves = leavesOf(24);
      const places = (await Promise.all(leaves.map((leaf) => append([leaf])))).flat();

      const inOrder = places.map((place, i) => [place, leaves[i]!] as const).sort(([a], [b]) => a - b);
      expect(inOrder.map(([place]) => place)).toEqual(leaves.map((_, i) => i));
      expect((await store.audit.heads()).root).toEqual(new MerkleTree(inOrder.map(([, leaf]) => leaf)).root);
    });

    it('gives all leaves of a transaction their places at its commit, and no place before', async () => {
      const [one, two] = [await addApi(), await addApi()];
      const nobodys = 'SELECT FROM audit_changes WHERE leaf IS NULL OR unplaced IS NOT NULL';
      await db.transaction(async (tx) => {
        const stores = storesOver(tx);
        await recordChange(stores, { ...changeOfAll('key_minted'), machineId: one.machineId });
        await recordCalls(stores, [newCall(one.apiId), newCall(two.apiId), newCall(one.apiId)]);
        await recordChange(stores, { ...changeOfAll('key_revoked'), machineId: one.machineId });
        expect((await stores.audit.heads()).size).toBe(0);
        expect(await tx.query(nobodys)).toHaveLength(2);
      });

      expect(await db.query(nobodys)).toEqual([]);
      const places = async (place: typeof one) =>
        (await readAll(place)).map(({ leaf, kind }) => [leaf, kind]);
      const pages = [...(await places(one)), ...(await places(two))].filter(([, kind]) => kind === 'calls');
      expect(pages.map(([leaf]) => leaf).sort()).toEqual([0, 1]);
      expect((await places(one)).filter(([, kind]) => kind === 'change')).toEqual([
        [2, 'change'],
        [3, 'change'],
      ]);
      const nodes = await db.query('SELECT level, place FROM audit_nodes ORDER BY level, place');
      expect(nodes.map(({ level, place }) => [Number(level), Number(place)])).toEqual([
        ...[0, 1, 2, 3].map((place) => [0, place]),
        ...[0, 1].map((place) => [1, place]),
        [2, 0],
      ]);
    });

    it('keeps nothing of what was rolled back', async () => {
      await append(leavesOf(3));
      const before = await store.audit.heads();
      const failed = store.atomically(async (stores) => {
        await recordChange(stores, changeOfAll('rotation_started'));
        throw new Error('killed');
      });
      await expect(failed).rejects.toThrow('killed');

      expect(await store.audit.heads()).toEqual(before);
      expect(await append(leavesOf(1))).toEqual([3]);
    });

    it('remembers the head that the clock took, and when it first took that one', async () => {
      const close = (zeqond: number, at = NOW) => store.audit.close(zeqond, at);
      const empty = await close(7);
      await append(leavesOf(2));
      const two = await close(8);
      const later = new Date(NOW.getTime() + 777);
      const again = await close(9, later);
      await append(leavesOf(1));

      expect([empty.size, empty.zeqond, empty.root]).toEqual([0, 7, foldSubtrees([])]);
      expect([two.size, two.zeqond, two.root]).toEqual([2, 8, new MerkleTree(leavesOf(2)).root]);
      expect(again).toEqual({ ...two, at: later });
      expect((await store.audit.heads()).closed).toEqual(again);
    });

    describe('what its leaves say', () => {
      it('is read in their order: the calls of an API, the changes to it, and those to all of its machine', async () => {
        const [mine, other] = [await addApi(), await addApi()];
        const neighbour = newApi(mine.machineId);
        await store.apis.insert(neighbour);
        await change(mine.machineId, [mine.apiId], 'api_registered');
        await record([newCall(mine.apiId), newCall(other.apiId), newCall(mine.apiId)]);
        await change(mine.machineId, null, 'key_minted');
        await change(mine.machineId, [neighbour.id], 'api_changed');
        await change(other.machineId, null, 'key_minted');
        await change(null, null, 'rotation_started');
        await record([newCall(mine.apiId)]);

        const records = await readAll(mine);

        expect(records.map((found) => (found.kind === 'calls' ? found.first : found.change.what))).toEqual([
          'api_registered',
          1,
          'key_minted',
          'rotation_started',
          3,
        ]);
        expect(records.map(({ leaf }) => leaf)).toEqual(
          [...records.map(({ leaf }) => leaf)].sort((a, b) => a - b),
        );
        expect(records[1]).toMatchObject({
          ...mine,
          kind: 'calls',
          calls: [{ path: '/v1/chat/completions' }, {}],
        });
        expect(await readAll({ ...mine, machineId: other.machineId })).toEqual([
          expect.objectContaining({
            kind: 'change',
            change: expect.objectContaining({ what: 'key_minted' }),
          }),
          expect.objectContaining({
            kind: 'change',
            change: expect.objectContaining({ what: 'rotation_started' }),
          }),
        ]);
      });

      it('is read by the stretch of the log and by time', async () => {
        const place = await addApi();
        for (let i = 0; i < 5; i += 1) await record([newCall(place.apiId)]);
        const read = async (over: object, limit = 99) => {
          const span = { ...place, from: 0, to: 5, since: new Date(0), until: new Date('2100-01-01') };
          return (await store.audit.read({ ...span, ...over }, limit)).map(({ leaf }) => leaf);
        };

        expect(await read({})).toEqual([0, 1, 2, 3, 4]);
        expect(await read({ from: 2 }, 2)).toEqual([2, 3]);
        expect(await read({ to: 2 })).toEqual([0, 1]);
        expect(await read({ since: new Date('2100-01-01') })).toEqual([]);
        expect(await read({ until: new Date(0) })).toEqual([]);
      });

      it('is found by the number of a call', async () => {
        const place = await addApi();
        await record([newCall(place.apiId), newCall(place.apiId)]);
        await record([newCall(place.apiId)]);
        const find = (number: number) => store.audit.findCall(place.machineId, place.apiId, number);

        expect([await find(1), await find(2), await find(3)].map((page) => page?.leaf)).toEqual([0, 0, 1]);
        expect(await find(4)).toBeUndefined();
        expect(await store.audit.findCall(newMachine().id, place.apiId, 1)).toBeUndefined();
      });

      it('stays when the API is removed, with whose it was; calls that are reported late are recorded', async () => {
        const place = await addApi();
        await record([newCall(place.apiId)]);
        await store.apis.remove(place.machineId, place.apiId);
        await store.atomically((stores) =>
          recordChange(stores, {
            what: 'api_removed',
            by: MESH,
            at: NOW,
            machineId: place.machineId,
            apiIds: [place.apiId],
            subjectId: place.apiId,
          }),
        );

        await record([newCall(place.apiId), newCall('api_nobodys')]);

        expect(await store.audit.machinesOf([place.apiId, 'api_nobodys'])).toEqual(
          new Map([[place.apiId, place.machineId]]),
        );
        expect((await readAll(place)).map(({ kind }) => kind)).toEqual(['calls', 'change', 'calls']);
      });

      it('is forgotten with its machine, and when it is old; the tree stays', async () => {
        const [gone, kept] = [await addApi(), await addApi()];
        for (const place of [gone, kept]) {
          await record([newCall(place.apiId)]);
          await change(place.machineId, null, 'key_minted');
        }
        const { root } = await store.audit.heads();

        await store.audit.forgetMachine(gone.machineId);
        expect(await readAll(gone)).toEqual([]);
        expect(await readAll(kept)).toHaveLength(2);
        expect(await store.audit.forget(new Date(0), 10)).toBe(0);
        expect(await store.audit.forget(new Date('2100-01-01'), 10)).toBe(2);

        expect(await readAll(kept)).toEqual([]);
        expect((await store.audit.heads()).root).toEqual(root);
        await record([newCall(kept.apiId)]);
        expect((await readAll(kept)).map((found) => found.kind === 'calls' && found.first)).toEqual([2]);
      });
    });
  });
}
