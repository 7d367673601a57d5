import { ApiState } from '../src/limits/api-state.ts';
import type { CallWindow, CallWindows } from '../src/limits/call-windows.ts';

/** What every store of minute windows promises, whether one process counts or several. */
export function callWindowsContract(name: string, open: () => CallWindows): void {
  let serial = 0;
  const state = () => new ApiState(`contract-${process.pid}-${Date.now()}-${++serial}`);
  const now = () => performance.now();

  /** How many of `count` calls at once are admitted. */
  async function admitted(
    windows: CallWindows,
    asked: readonly CallWindow[],
    count: number,
  ): Promise<number> {
    const verdicts = await Promise.all(Array.from({ length: count }, () => windows.take(asked, now())));
    return verdicts.filter(({ refusedBy }) => refusedBy < 0).length;
  }

  describe(`minute windows: ${name}`, () => {
    it('admit exactly the limit of many calls at once', async () => {
      expect(await admitted(open(), [{ state: state(), limit: 60 }], 500)).toBe(60);
    });

    it('count each call as used', async () => {
      const [windows, asked] = [open(), [{ state: state(), limit: 5 }]];

      const used = [];
      for (let i = 0; i < 3; i++) used.push((await windows.take(asked, now())).used);

      expect(used).toEqual([1, 2, 3]);
    });

    it('say which window refuses, and for how long', async () => {
      const windows = open();
      const [api, app] = [
        { state: state(), limit: 10 },
        { state: state(), limit: 1 },
      ];
      await windows.take([api, app], now());

      const { refusedBy, waitMs } = await windows.take([api, app], now());

      expect(refusedBy).toBe(1);
      expect(waitMs).toBeGreaterThan(58_000);
      expect(waitMs).toBeLessThanOrEqual(60_100);
    });

    it('count a refused call in no window', async () => {
      const windows = open();
      const [api, app] = [
        { state: state(), limit: 3 },
        { state: state(), limit: 1 },
      ];

      expect(await admitted(windows, [api, app], 20)).toBe(1);
      expect(await admitted(windows, [api], 20)).toBe(2);
    });

    it('keep windows of different ids apart', async () => {
      const windows = open();

      expect(await admitted(windows, [{ state: state(), limit: 2 }], 5)).toBe(2);
      expect(await admitted(windows, [{ state: state(), limit: 2 }], 5)).toBe(2);
    });

    it('take a new limit into use at once, in either direction', async () => {
      const [windows, same] = [open(), state()];
      await admitted(windows, [{ state: same, limit: 10 }], 20);

      expect(await admitted(windows, [{ state: same, limit: 4 }], 5)).toBe(0);
      expect(await admitted(windows, [{ state: same, limit: 13 }], 5)).toBe(3);
    });

    it('hold a limit of a million as well', async () => {
      expect(await admitted(open(), [{ state: state(), limit: 1_000_000 }], 100)).toBe(100);
    });
  });
}
