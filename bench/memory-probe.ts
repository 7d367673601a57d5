// Loaded into a service by `node --import`: at SIGUSR2 it collects what is garbage, has V8 give back the pages that it would have kept
// for its next collections, and writes down what is left, one JSON line in the file that ZEQ_MEMORY_PROBE names, behind the process id.
// For measurements only; no service knows of it.
import { appendFileSync, readFileSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
import { residentByUse } from './resident.ts';

const file = process.env.ZEQ_MEMORY_PROBE;
const collect = globalThis.gc;
if (file !== undefined && collect !== undefined)
  process.on('SIGUSR2', () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    const { rss, heapUsed, external } = process.memoryUsage();
    const { file: program, malloc, anonymous } = residentByUse(readFileSync('/proc/self/smaps', 'latin1'));
    const handles = process.getActiveResourcesInfo().length;
    const reading = { rss, program, malloc, anonymous, young: youngSpace(), heapUsed, external, handles };
    appendFileSync(`${file}.${process.pid}`, `${JSON.stringify(reading)}\n`);
  });

/** What V8 has taken for young objects; a part of it may never have been touched, and then is not resident. */
function youngSpace(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!.space_size;
}
