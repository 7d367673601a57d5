import { jest } from '@jest/globals';
import { noteAnswer, noteSilence, onBack, readReach, tryAgain } from '../src/api/reach.ts';

describe('the reach of the mesh', () => {
  const realFetch = globalThis.fetch;
  let asked: string[];
  /** What the mesh does when it is asked; undefined: it is away. */
  let answer: Response | undefined;

  beforeEach(() => {
    jest.useFakeTimers();
    asked = [];
    answer = undefined;
    globalThis.fetch = async (address) => {
      asked.push(String(address));
      if (answer === undefined) throw new TypeError('failed to fetch');
      return answer;
    };
  });
  afterEach(() => {
    noteAnswer();
    jest.useRealTimers();
    globalThis.fetch = realFetch;
  });

  it('is lost with the first call that nobody answers, and back with the first that somebody does', () => {
    const back: string[] = [];
    const stop = onBack(() => back.push('back'));
    noteAnswer();
    noteSilence();
    const during = readReach().isAway;
    noteAnswer();
    stop();
    noteSilence();
    noteAnswer();

    expect([during, readReach().isAway, back]).toEqual([true, false, ['back']]);
  });

  it('is asked for again by itself, less and less often', async () => {
    noteSilence();
    const after = async (ms: number) => {
      await jest.advanceTimersByTimeAsync(ms);
      return asked.length;
    };

    expect(await after(1_999)).toBe(0);
    expect(await after(1)).toBe(1);
    expect(await after(3_999)).toBe(1);
    expect(await after(1)).toBe(2);
    expect(await after(8_000)).toBe(3);
    expect(new Set(asked)).toEqual(new Set(['/health']));
  });

  it('counts an error answer as an answer', async () => {
    noteSilence();
    answer = new Response('', { status: 503 });
    await tryAgain();

    expect(readReach().isAway).toBe(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });
});
