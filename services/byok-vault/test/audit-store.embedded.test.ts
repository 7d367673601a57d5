import { auditStoreContract } from './audit-store.contract.ts';
import { openTestEmbedded } from './support/embedded.ts';

auditStoreContract('the embedded database', openTestEmbedded);
