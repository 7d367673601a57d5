import type { Experiment } from '../src/experiment.ts';
import { gatewayKilled } from './f01-gateway.ts';

/** All of them, in the order in which they run. */
export const EXPERIMENTS: readonly Experiment[] = [gatewayKilled];
