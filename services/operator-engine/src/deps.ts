import type { AccessLog, Logger, ServiceTokenVerifier } from '@zeq/service-kit';
import type { Registry } from 'prom-client';
import type { Authenticate } from './auth/authenticate.ts';
import type { Catalogue } from './catalogue/catalogue.ts';
import type { Prover } from './compute/proof.ts';
import type { Recorder } from './recorder.ts';
import type { AskModel } from './seven-step/proposal.ts';
import type { Stores } from './store/store.ts';

/** All that the app needs from outside. A test passes its own. */
export interface Deps {
  catalogue: Catalogue;
  stores: Stores;
  recorder: Recorder;
  prover: Prover;
  authenticate: Authenticate;
  serviceTokens: ServiceTokenVerifier;
  /** Asks the registered model; undefined where there is none. */
  askModel?: AskModel | undefined;
  metrics: Registry;
  log: Logger;
  accessLog: AccessLog;
  /** Unix milliseconds. */
  now: () => number;
  /** Requests per minute of one address that does not come through the gateway. */
  perMinute: number;
}
