import { IdentifyRequest, LeaseRequest, VAULT_ISSUERS } from '@zeq/contracts';
import { ProblemError, parseInput, type ServiceTokenVerifier, strictJson } from '@zeq/service-kit';
import { Router } from 'express';
import type { ChangeHub } from '../change-hub.ts';
import type { CredentialBox } from '../credential-box.ts';
import { identify } from '../identify.ts';
import { leaseApi } from '../lease-api.ts';
import type { VaultMetrics } from '../metrics.ts';
import { notFound } from '../not-found.ts';
import type { Store } from '../store/store.ts';
import { streamChanges } from './changes.ts';
import { requireService } from './require-service.ts';

export interface InternalDeps {
  store: Store;
  box: CredentialBox;
  hub: ChangeHub;
  verifier: ServiceTokenVerifier;
  metrics: VaultMetrics;
  now: () => Date;
}

const MAX_BODY_BYTES = 1024;

/** The routes between services. Each names the services that may call it. */
export function internalRouter({ store, box, hub, verifier, metrics, now }: InternalDeps): Router {
  const router = Router();
  const only = (route: keyof typeof VAULT_ISSUERS) => requireService(verifier, VAULT_ISSUERS[route]);
  const json = strictJson({ maxBytes: MAX_BODY_BYTES });

  router.post('/identify', only('identify'), json, async function identifyToken(req, res) {
    const answer = await identify(store, parseInput(IdentifyRequest, req.body), now());
    if (answer === undefined) throw notFound();
    res.set('Cache-Control', 'no-store').json(answer);
  });

  router.post('/leases', only('leases'), json, async function lease(req, res) {
    const { lease_key: recipient } = res.locals.claims;
    if (recipient === undefined) throw new ProblemError('bad_request', 'The service token has no lease key.');
    const answer = await leaseApi(store, box, parseInput(LeaseRequest, req.body), recipient);
    if (answer === undefined) throw notFound();
    metrics.leases.inc();
    res.set('Cache-Control', 'no-store').json(answer);
  });

  router.get('/changes', only('changes'), streamChanges(hub, metrics));
  return router;
}
