#!/usr/bin/env node
// In the repository the sources run as they are. `node_modules/.bin/zeq` and `npx zeq` start this on the Node that the lockfile pins.
import { main } from '../src/cli/main.ts';

await main();
