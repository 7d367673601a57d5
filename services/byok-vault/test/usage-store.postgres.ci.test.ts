import { openTestDatabase } from './support/postgres.ts';
import { usageStoreContract } from './usage-store.contract.ts';

usageStoreContract('PostgreSQL', openTestDatabase);
