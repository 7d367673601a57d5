import { openEmbedded } from '../src/db/embedded.ts';
import { storeContract } from './store.contract.ts';

storeContract('the embedded database', () => openEmbedded());
