import {
  CloseAudit,
  DraftRequest,
  IdentifyRequest,
  LeaseRequest,
  MAX_BATCH_BYTES,
  StandingRequest,
  UsageBatch,
  VAULT_ISSUERS,
} from '@zeq/contracts';
import { ProblemError, parseInput, type ServiceTokenVerifier, strictJson } from '@zeq/service-kit';
import { type Response, Router } from 'express';
import { notFound } from '../apis/not-found.ts';
import type { ApiDeps } from '../apis/register-api.ts';
import { viewHead } from '../audit/heads.ts';
import type { ChangeHub } from '../leases/change-hub.ts';
import { leaseApi } from '../leases/lease-api.ts';
import { leaseDraft } from '../leases/lease-draft.ts';
import type { VaultMetrics } from '../metrics.ts';
import { identify } from '../owners/identify.ts';
import { countBatch } from '../usage/count-batch.ts';
import { streamChanges } from './changes.ts';
import { requireService } from './require-service.ts';

export interface InternalDeps extends ApiDeps {
  hub: ChangeHub;
  verifier: ServiceTokenVerifier;
  metrics: VaultMetrics;
}

const MAX_BODY_BYTES = 1024;
/** A thousand ids. */
const MAX_STANDING_BYTES = 64 * 1024;
/** A whole registration, without its description. */
const MAX_DRAFT_BYTES = 256 * 1024;

/** The routes between services. Each names the services that may call it. */
export function internalRouter(deps: InternalDeps): Router {
  const { store, box, hub, verifier, metrics, now } = deps;
  const router = Router();
  const only = (route: keyof typeof VAULT_ISSUERS) => requireService(verifier, VAULT_ISSUERS[route]);
  const json = strictJson({ maxBytes: MAX_BODY_BYTES });

  router.post('/identify', only('identify'), json, async function identifyToken(req, res) {
    const answer = await identify(store, parseInput(IdentifyRequest, req.body), now());
    if (answer === undefined) throw notFound();
    res.set('Cache-Control', 'no-store').json(answer);
  });

  router.post('/leases', only('leases'), json, async function lease(req, res) {
    const answer = await leaseApi(store, box, parseInput(LeaseRequest, req.body), recipientOf(res));
    if (answer === undefined) throw notFound();
    metrics.leases.inc();
    res.set('Cache-Control', 'no-store').json(answer);
  });

  const draftJson = strictJson({ maxBytes: MAX_DRAFT_BYTES });
  router.post('/drafts', only('drafts'), draftJson, async function leaseUnsaved(req, res) {
    const answer = await leaseDraft(deps, parseInput(DraftRequest, req.body), recipientOf(res));
    if (answer === undefined) throw notFound();
    res.set('Cache-Control', 'no-store').json(answer);
  });

  const standingJson = strictJson({ maxBytes: MAX_STANDING_BYTES });
  router.post('/standing', only('standing'), standingJson, async function tellWhatIsGone(req, res) {
    const { ids } = parseInput(StandingRequest, req.body);
    res.set('Cache-Control', 'no-store').json({ gone: await store.changes.gone(ids, now()) });
  });

  const batchJson = strictJson({ maxBytes: MAX_BATCH_BYTES });
  router.post('/usage', only('usage'), batchJson, async function countUsage(req, res) {
    res.json(await countBatch(store, parseInput(UsageBatch, req.body)));
  });

  router.post('/audit/close', only('audit'), json, async function closeAudit(req, res) {
    const { zeqond } = parseInput(CloseAudit, req.body);
    const head = await store.audit.close(zeqond, now());
    res.set('Cache-Control', 'no-store').json(viewHead(head));
  });

  router.get('/changes', only('changes'), streamChanges(hub, metrics));
  return router;
}

/** The X25519 key that a lease is sealed to. */
function recipientOf({ locals }: Response): string {
  const { lease_key: recipient } = locals.claims;
  if (recipient === undefined) throw new ProblemError('bad_request', 'The service token has no lease key.');
  return recipient;
}
