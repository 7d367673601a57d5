import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from '../packages/byok-app/test/kit/browser.ts';
import { startMesh } from '../packages/byok-app/test/kit/mesh.ts';

/**
 * What the page costs on a first visit: `node bench/page.ts [visits] [throttle]`, by default 5 visits on a processor slowed four
 * times. Each visit has an empty cache and lasts until the sign-in form can be used. It starts a mesh of its own.
 */
const visits = Number(process.argv[2] ?? 5);
const throttle = Number(process.argv[3] ?? 4);
/** A page without a long task for so long is at rest (ms). */
const QUIET_MS = 1_500;

/** Milliseconds from the beginning of the navigation. */
interface Timings {
  firstPaint: number;
  usable: number;
  interactive: number;
  /** What tasks of more than 50 ms took above that, from the first paint on (ms). */
  blocking: number;
}

interface Visit extends Timings {
  requests: number;
  /** Over the wire, heads included. */
  bytes: number;
  /** CPU time of the main thread (ms, throttled). */
  thread: number;
}

/** In the page, before its scripts: notes long tasks, and when the form has taken the focus. */
const WATCH = `
  const noted = window.noted = { longTasks: [], usableAt: NaN };
  new PerformanceObserver((list) => noted.longTasks.push(...list.getEntries())).observe({ type: 'longtask' });
  addEventListener('focusin', () => { if (Number.isNaN(noted.usableAt)) noted.usableAt = performance.now(); });
`;
/** In the page, at rest. Interactive: the form can be used, and the last long task is over. */
const READ = `(() => {
  const { longTasks, usableAt } = window.noted;
  const firstPaint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN;
  const after = longTasks.filter(({ startTime }) => startTime >= firstPaint);
  return {
    firstPaint,
    usable: usableAt,
    interactive: Math.max(usableAt, ...longTasks.map(({ startTime, duration }) => startTime + duration)),
    blocking: after.reduce((sum, { duration }) => sum + duration - 50, 0),
  };
})()`;

const mesh = await startMesh([]);
try {
  const found: Visit[] = [];
  for (let i = 0; i < visits; i += 1) found.push(await visit());
  print(found);
} finally {
  await mesh.stop();
}

async function visit(): Promise<Visit> {
  const { page, context, close } = await openBrowser();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: throttle });
  let [requests, bytes] = [0, 0];
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    requests += 1;
    bytes += encodedDataLength;
  });
  await page.addInitScript(WATCH);
  await page.goto(mesh.page);
  await page.locator('input:focus').waitFor();
  await sleep(QUIET_MS);
  const timings = await page.evaluate<Timings>(READ);
  const { metrics } = await devtools.send('Performance.getMetrics');
  const thread = 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  await close();
  return { requests, bytes, thread, ...timings };
}

function print(found: readonly Visit[]): void {
  const median = (values: number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const line = (what: string, of: (visit: Visit) => number, unit: string) =>
    process.stdout.write(`${what.padEnd(44)} ${Math.round(median(found.map(of)))} ${unit}\n`);
  process.stdout.write(`medians of ${found.length} first visits, CPU slowed ${throttle} times\n`);
  line('requests', ({ requests }) => requests, '');
  line('over the wire, heads included', ({ bytes }) => bytes, 'B');
  line('first contentful paint', ({ firstPaint }) => firstPaint, 'ms');
  line('the form can be used', ({ usable }) => usable, 'ms');
  line('interactive: usable, and no long task after', ({ interactive }) => interactive, 'ms');
  line('blocked by long tasks after the first paint', ({ blocking }) => blocking, 'ms');
  line('main thread until then (CPU)', ({ thread }) => thread, 'ms');
}
