import type { Experiment } from '../src/experiment.ts';
import { gatewayKilled } from './f01-gateway.ts';
import { forwarderKilled } from './f02-forwarder.ts';
import { vaultKilled } from './f03-vault.ts';
import { clockKilled } from './f04-clock.ts';
import { databaseRestarts } from './f05-database-restarts.ts';
import { databaseSlow } from './f06-database-slow.ts';

/** All of them, in the order in which they run. */
export const EXPERIMENTS: readonly Experiment[] = [
  gatewayKilled,
  forwarderKilled,
  vaultKilled,
  clockKilled,
  databaseRestarts,
  databaseSlow,
];
