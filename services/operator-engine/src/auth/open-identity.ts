import {
  Identities,
  type Logger,
  openIdentifyClient,
  ServiceTokenSigner,
  ServiceTokenVerifier,
  Sessions,
  VaultFeed,
} from '@zeq/service-kit';
import type { Config } from '../config.ts';
import { type Authenticate, buildAuthenticate } from './authenticate.ts';

export interface IdentitySource {
  authenticate: Authenticate;
  serviceTokens: ServiceTokenVerifier;
  feed: VaultFeed;
  close: () => Promise<void>;
}

/** Everything it takes to know callers: the gateway's word, sessions, and the vault with its change feed. */
export function openIdentity(config: Config, log: Logger): IdentitySource {
  const { ZEQ_INTERNAL_SECRET, ZEQ_INTERNAL_SECRET_PREV, JWT_SECRET, JWT_SECRET_PREV, VAULT_URL } = config;
  const signer = new ServiceTokenSigner('operator-engine', ZEQ_INTERNAL_SECRET);
  const feed = new VaultFeed({
    url: VAULT_URL,
    token: () => signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous'),
    log,
  });
  const vault = openIdentifyClient(VAULT_URL, signer);
  const identities = new Identities({ identify: vault.identify, feed });
  const sessions = new Sessions(JWT_SECRET, JWT_SECRET_PREV);
  const secrets = [
    ZEQ_INTERNAL_SECRET,
    ...(ZEQ_INTERNAL_SECRET_PREV === undefined ? [] : [ZEQ_INTERNAL_SECRET_PREV]),
  ];
  const serviceTokens = new ServiceTokenVerifier('operator-engine', secrets);
  const session = (token: string) => {
    const found = sessions.verify(token);
    return typeof found === 'object' ? found.keyId : found;
  };
  const authenticate = buildAuthenticate({
    serviceTokens,
    session,
    find: (question) =>
      identities.find('key_id' in question ? question.key_id : question.token_sha256, question),
  });
  const close = async () => {
    await feed.stop();
    await vault.close();
  };
  return { authenticate, serviceTokens, feed, close };
}
