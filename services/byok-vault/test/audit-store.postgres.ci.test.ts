import { auditStoreContract } from './audit-store.contract.ts';
import { openTestDatabase } from './support/postgres.ts';

auditStoreContract('PostgreSQL', openTestDatabase);
