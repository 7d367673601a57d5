// Loaded into every service that runs from the sources: what V8 has compiled, and Node has stripped of its types, is kept for the next start,
// which takes half the time then. In the image the cache is a part of it: scripts/warm-compile-cache.mjs.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)));
