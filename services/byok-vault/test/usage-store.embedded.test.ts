import { openTestEmbedded } from './support/embedded.ts';
import { usageStoreContract } from './usage-store.contract.ts';

usageStoreContract('the embedded database', openTestEmbedded);
