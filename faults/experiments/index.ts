import type { Experiment } from '../src/experiment.ts';
import { forwarderKilled, gatewayKilled } from './f01-f02-killed.ts';
import { vaultKilled } from './f03-vault.ts';
import { clockKilled } from './f04-clock.ts';
import { databaseRestarts } from './f05-database-restarts.ts';
import { databaseSlow } from './f06-database-slow.ts';
import { upstreamResets } from './f09-upstream-resets.ts';
import { upstreamSlow } from './f10-upstream-slow.ts';
import { rotationKilled } from './f12-rotation.ts';
import { rotationDisturbed } from './f13-rotation-disturbed.ts';
import { processFrozen } from './f15-frozen.ts';
import { callersLeave } from './f17-aborts.ts';
import { namesFail } from './f18-names.ts';
import { manyCalls } from './f21-memory.ts';
import { coldStart } from './f25-cold-start.ts';
import { secretsChanged } from './secrets.ts';

/** All of them, in the order in which they run; `.ci/run` runs their short forms. */
export const EXPERIMENTS: readonly Experiment[] = [
  gatewayKilled,
  forwarderKilled,
  vaultKilled,
  clockKilled,
  databaseRestarts,
  databaseSlow,
  upstreamResets,
  upstreamSlow,
  rotationKilled,
  rotationDisturbed,
  processFrozen,
  callersLeave,
  namesFail,
  manyCalls,
  coldStart,
  secretsChanged,
];
