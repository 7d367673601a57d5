import { storeContract } from './store.contract.ts';
import { openTestEmbedded } from './support/embedded.ts';

storeContract('the embedded database', openTestEmbedded);
