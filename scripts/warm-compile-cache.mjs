// Compiles every module of the services into the folder that NODE_COMPILE_CACHE names, so that a container does not begin with that:
//
//   NODE_COMPILE_CACHE=.compile-cache node [the flags of the services] scripts/warm-compile-cache.mjs
//
// Run it as the user that the services run as: Node keeps a folder for each.
import { readdirSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';

if (getCompileCacheDir() === undefined)
  throw new Error('NODE_COMPILE_CACHE names no folder that can be written');
const services = new URL('../services/', import.meta.url);
for (const service of readdirSync(services)) {
  const src = new URL(`${service}/src/`, services);
  // main.ts would start the service
  for (const file of readdirSync(src, { recursive: true }))
    if (/\.ts$/.test(file) && !/(?:\.d|^main)\.ts$/.test(file)) await import(new URL(file, src).href);
}
flushCompileCache();
