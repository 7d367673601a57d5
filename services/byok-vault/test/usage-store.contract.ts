import { jest } from '@jest/globals';
import type { RecordedCall, UsageMinute } from '@zeq/contracts';
import { recordCalls } from '../src/audit/record-calls.ts';
import type { Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { buildStore } from '../src/store/sql/sql-store.ts';
import type { Store } from '../src/store/store.ts';
import { newApi, newKey, newMachine, newToken } from './store.contract.ts';
import { newCall, newInstance, newMinute } from './support/usage.ts';

jest.setTimeout(30_000);

const MINUTE = Math.floor(Date.parse('2026-03-10T12:34:00.000Z') / 60_000);
const at = (minute: number) => new Date(minute * 60_000);
const ALWAYS = [new Date(0), new Date('2100-01-01T00:00:00Z')] as const;
/** What the stores of usage and activity have to do, whichever database is behind them. `open` gives an empty one. */
export function usageStoreContract(name: string, open: () => Promise<Database>): void {
  describe(`usage and activity over ${name}`, () => {
    let db: Database;
    let store: Store;

    beforeAll(async () => {
      db = await open();
      await migrate(db);
      store = buildStore(db);
    });
    afterAll(() => db.close());

    const addApi = async () => {
      const machine = newMachine();
      await store.machines.insert(machine);
      const api = newApi(machine.id);
      await store.apis.insert(api);
      return { machine, apiId: api.id };
    };
    const add = (...minutes: UsageMinute[]) => store.atomically(({ usage }) => usage.add(minutes));
    const append = (calls: RecordedCall[]) => store.atomically((stores) => recordCalls(stores, calls));
    const requestsOf = async (apiId: string) =>
      (await store.usage.read(apiId, ...ALWAYS)).map((row) => [row.at.toISOString(), row.requests]);

    describe('counts', () => {
      it('come back as they went in', async () => {
        const { apiId } = await addApi();
        const minute = newMinute(apiId, MINUTE);

        await add(minute);

        const { api_id: _id, minute: _minute, ...tally } = minute;
        expect(await store.usage.read(apiId, ...ALWAYS)).toEqual([{ at: at(MINUTE), ...tally }]);
      });

      it('are added up, part by part', async () => {
        const { apiId } = await addApi();
        const other = newMinute(apiId, MINUTE, { refused: { forbidden: 2 }, latency: { '40': 5, '863': 1 } });

        await add(newMinute(apiId, MINUTE));
        await add(other);

        expect(await store.usage.read(apiId, ...ALWAYS)).toEqual([
          expect.objectContaining({
            requests: 6,
            bytes_out: 2 ** 41,
            status: { '1xx': 0, '2xx': 4, '3xx': 0, '4xx': 2, '5xx': 0, none: 0 },
            refused: { rate_limited: 1, forbidden: 2 },
            latency: { '40': 6, '100': 1, '863': 1 },
          }),
        ]);
      });

      it('of one minute are added up by many at once', async () => {
        const [one, two] = [await addApi(), await addApi()];
        const minutes = [newMinute(one.apiId, MINUTE), newMinute(two.apiId, MINUTE)];

        await Promise.all(
          Array.from({ length: 8 }, (_, i) => add(...(i % 2 === 0 ? minutes : minutes.toReversed()))),
        );

        expect(await requestsOf(one.apiId)).toEqual([[at(MINUTE).toISOString(), 24]]);
        expect(await requestsOf(two.apiId)).toEqual([[at(MINUTE).toISOString(), 24]]);
      });

      it('are read from a moment up to another one', async () => {
        const { apiId } = await addApi();
        await add(...[0, 1, 2, 3].map((i) => newMinute(apiId, MINUTE + i)));

        const rows = await store.usage.read(apiId, at(MINUTE + 1), at(MINUTE + 3));

        expect(rows.map((row) => row.at)).toEqual([at(MINUTE + 1), at(MINUTE + 2)]);
      });

      it('of all APIs of a machine are read by the minute, and of no other machine', async () => {
        const [mine, other] = [await addApi(), await addApi()];
        await add(
          newMinute(mine.apiId, MINUTE - 1),
          newMinute(mine.apiId, MINUTE),
          newMinute(other.apiId, MINUTE),
        );

        expect(await store.usage.readMinutes(mine.machine.id, at(MINUTE))).toEqual([
          { apiId: mine.apiId, at: at(MINUTE), requests: 3, errors: 1 },
        ]);
      });

      it('move to hours and days whole, piece by piece, whatever their order', async () => {
        const { apiId } = await addApi();
        const minutes = [0, 25, 26, 59, 60, 1439, 1440].map((i) => MINUTE - 34 + i); // from 12:00 on
        const before = at(MINUTE + 10_000);
        const foldAll = async (from: 'minute' | 'hour') => {
          const moved: number[] = [];
          do moved.push(await store.usage.fold(from, before, 3));
          while (moved.at(-1) === 3);
          return moved.reduce((sum, rows) => sum + rows, 0);
        };
        await foldAll('minute'); // of the tests before
        await add(...minutes.map((minute) => newMinute(apiId, minute)));
        expect(await store.usage.fold('minute', at(minutes[0]!), 3)).toBe(0); // none is that old

        expect(await foldAll('minute')).toBe(7);
        const hours = await requestsOf(apiId);
        await add(newMinute(apiId, minutes[0]!)); // a late one
        await foldAll('minute');
        await foldAll('hour');

        expect(hours).toEqual([
          ['2026-03-10T12:00:00.000Z', 12],
          ['2026-03-10T13:00:00.000Z', 3],
          ['2026-03-11T11:00:00.000Z', 3],
          ['2026-03-11T12:00:00.000Z', 3],
        ]);
        expect(await requestsOf(apiId)).toEqual([
          ['2026-03-10T00:00:00.000Z', 18],
          ['2026-03-11T00:00:00.000Z', 6],
        ]);
        const [day] = await store.usage.read(apiId, ...ALWAYS);
        expect(day).toMatchObject({ latency: { '40': 6, '100': 6 }, refused: { rate_limited: 6 } });
      });

      it('are counted once while some of them move', async () => {
        const { apiId } = await addApi();
        await add(...Array.from({ length: 40 }, (_, i) => newMinute(apiId, MINUTE - 10_000 + i)));

        const work = Array.from({ length: 10 }, (_, i) =>
          i % 2 === 0
            ? store.usage.fold('minute', at(MINUTE - 5_000), 7)
            : add(newMinute(apiId, MINUTE - 10_000 + i)),
        );
        await Promise.all(work);

        const rows = await store.usage.read(apiId, ...ALWAYS);
        expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(45 * 3);
      });

      it('of days are forgotten when they are old', async () => {
        const { apiId } = await addApi();
        await add(newMinute(apiId, 1), newMinute(apiId, MINUTE));
        await store.usage.fold('minute', at(MINUTE + 1), 100);
        await store.usage.fold('hour', at(MINUTE + 1), 100);

        await store.usage.forgetDays(new Date('2026-03-10T00:00:00Z'));

        expect(await requestsOf(apiId)).toEqual([['2026-03-10T00:00:00.000Z', 3]]);
      });

      it('go with their API; its calls stay', async () => {
        const { machine, apiId } = await addApi();
        await add(newMinute(apiId, MINUTE));
        await append([newCall(apiId)]);

        await store.apis.remove(machine.id, apiId);

        expect(await store.usage.read(apiId, ...ALWAYS)).toEqual([]);
        expect(await store.activity.head(apiId)).toBe(1);
        expect(await store.activity.read(apiId, { after: 0 }, 9)).toHaveLength(1);
      });
    });

    describe('batches', () => {
      it('are taken once and in their order, also when one comes twice at once', async () => {
        const instance = newInstance();
        const take = (seq: number) => store.atomically(({ usage }) => usage.takeBatch(instance, seq));

        expect((await Promise.all([take(1), take(1), take(1)])).sort()).toEqual([false, false, true]);
        expect([await take(1), await take(3), await take(2), await take(4)]).toEqual([
          false,
          true,
          false,
          true,
        ]);
        expect(await store.atomically(({ usage }) => usage.takeBatch(newInstance(), 4))).toBe(true);
      });

      it('are not taken when what they bring is not counted', async () => {
        const instance = newInstance();
        const failed = store.atomically(async ({ usage }) => {
          await usage.takeBatch(instance, 1);
          throw new Error('killed');
        });
        await expect(failed).rejects.toThrow('killed');

        expect(await store.atomically(({ usage }) => usage.takeBatch(instance, 1))).toBe(true);
      });

      it('of forwarders that are long gone are forgotten', async () => {
        const instance = newInstance();
        await store.atomically(({ usage }) => usage.takeBatch(instance, 9));

        await store.usage.forgetSources(new Date(0));
        expect(await store.atomically(({ usage }) => usage.takeBatch(instance, 9))).toBe(false);
        await store.usage.forgetSources(new Date(Date.now() + 60_000));
        expect(await store.atomically(({ usage }) => usage.takeBatch(instance, 9))).toBe(true);
      });

      it('hold the APIs that there are', async () => {
        const { apiId } = await addApi();

        const held = await store.atomically(({ usage }) => usage.holdApis([apiId, 'api_none']));

        expect([...held]).toEqual([apiId]);
      });
    });

    describe('activity', () => {
      const everything = async (apiId: string) => {
        const calls = await store.activity.read(apiId, { before: Number.MAX_SAFE_INTEGER }, 100);
        return calls.map(({ seq }) => seq);
      };

      it('comes back as it went in, the newest first, with the names of keys and tokens', async () => {
        const { machine, apiId } = await addApi();
        const [key, token] = [newKey(machine.id), newToken(machine.id, [apiId])];
        await store.keys.insert(key);
        await store.tokens.insert(token);
        const calls = [
          newCall(apiId, { caller_id: key.id, path: '/ü"\\\u0001' }),
          newCall(apiId, { caller_id: token.id, code: 'rate_limited', outcome: 'refused', status: 429 }),
          newCall(apiId),
        ];

        await append(calls);
        await store.tokens.remove(machine.id, apiId, token.id);

        const found = await store.activity.read(apiId, { before: 99 }, 1);
        const expected = calls.map(({ api_id: _id, ...call }, i) => ({
          ...call,
          seq: i + 1,
          caller_name: [key.name, token.name, null][i],
          caller_prefix: [key.prefix, token.prefix, null][i],
        }));
        expect(found).toEqual(expected.toReversed());
      });

      it('numbers on', async () => {
        const [one, two] = [await addApi(), await addApi()];
        for (let i = 0; i < 3; i += 1)
          await append([newCall(one.apiId), newCall(two.apiId), newCall(one.apiId)]);

        expect(await everything(one.apiId)).toEqual([6, 5, 4, 3, 2, 1]);
        expect(await everything(two.apiId)).toEqual([3, 2, 1]);
        expect(await store.activity.head(one.apiId)).toBe(6);
      });

      it('is numbered without gaps when many append at once', async () => {
        const [one, two] = [await addApi(), await addApi()];
        const calls = [newCall(one.apiId), newCall(two.apiId), newCall(one.apiId)];

        await Promise.all(
          Array.from({ length: 10 }, (_, i) => append(i % 2 === 0 ? calls : calls.toReversed())),
        );

        expect(await everything(one.apiId)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i));
        expect(await everything(two.apiId)).toEqual(Array.from({ length: 10 }, (_, i) => 10 - i));
      });

      it('is read on from any place, in both directions, by the page', async () => {
        const { apiId } = await addApi();
        for (const size of [3, 1, 2]) await append(Array.from({ length: size }, () => newCall(apiId)));
        const seqs = async (place: { before: number } | { after: number }, pages: number) =>
          (await store.activity.read(apiId, place, pages)).map(({ seq }) => seq);

        expect(await seqs({ before: 99 }, 1)).toEqual([6, 5]);
        expect(await seqs({ before: 6 }, 1)).toEqual([5, 4]); // what is left of a page, and the next one
        expect(await seqs({ before: 5 }, 2)).toEqual([4, 3, 2, 1]);
        expect(await seqs({ before: 3 }, 1)).toEqual([2, 1]);
        expect(await seqs({ before: 1 }, 9)).toEqual([]);
        expect(await seqs({ after: 0 }, 1)).toEqual([1, 2, 3]);
        expect(await seqs({ after: 2 }, 2)).toEqual([3, 4]);
        expect(await seqs({ after: 6 }, 9)).toEqual([]);
      });
    });

    it('is tidied by one at a time', async () => {
      const answers = await store.atomically(async ({ usage }) => {
        const mine = await usage.tryHousekeeping();
        return [mine, await usage.tryHousekeeping()]; // the same transaction may ask again
      });

      expect(answers).toEqual([true, true]);
      expect(await store.atomically(({ usage }) => usage.tryHousekeeping())).toBe(true);
    });
  });
}
