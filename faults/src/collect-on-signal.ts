// Loaded into every service by `node --import` where an experiment asks for it: at SIGUSR2 it collects what is garbage and has
// V8 give back the pages that it would have kept for its next collections, so that what is resident afterwards is in use. No service
// knows of it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as NodeJS.GCFunction;
process.on('SIGUSR2', () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
