import { storeContract } from './store.contract.ts';
import { openTestDatabase } from './support/postgres.ts';

storeContract('PostgreSQL', openTestDatabase);
