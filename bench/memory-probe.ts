// Loaded into a service by `node --import`: at SIGUSR2 it collects what is garbage and writes down what is left, one JSON line in the
// file that ZEQ_MEMORY_PROBE names, behind the process id. For measurements only; no service knows of it.
import { appendFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

const file = process.env.ZEQ_MEMORY_PROBE;
const collect = (globalThis as { gc?: () => void }).gc;
if (file !== undefined && collect !== undefined)
  process.on('SIGUSR2', () => {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const heapPages = getHeapStatistics().total_physical_size;
    const handles = process.getActiveResourcesInfo().length;
    appendFileSync(
      `${file}.${process.pid}`,
      `${JSON.stringify({ rss, heapPages, heapUsed, external, handles })}\n`,
    );
  });
