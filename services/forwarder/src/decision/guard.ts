import { type EgressRules, refuseAddress } from '@zeq/egress';
import { ProblemError } from '@zeq/service-kit';
import type { NameResolver } from '../upstream/resolve.ts';
import type { Allowed } from './decide.ts';

/** Resolves the name of a decision and lets only checked addresses through. */
export class Guard {
  readonly #resolver: NameResolver;
  readonly #rules: EgressRules;

  constructor(resolver: NameResolver, rules: EgressRules) {
    this.#resolver = resolver;
    this.#rules = rules;
  }

  /**
   * The addresses that may be dialled for this call. One address that is refused condemns the whole answer.
   *
   * @returns At once while the last answer still holds: then it is the array that was checked before.
   * @throws ProblemError `egress_refused`, `dns_failed` or `dns_timeout`; nothing has been dialled.
   */
  addresses(decision: Allowed, now: number): readonly string[] | Promise<readonly string[]> {
    const { url, api } = decision;
    if (url.isAddress) return this.#check(api.route?.addresses ?? [url.host], decision);
    const held = this.#resolver.held(url.host, now);
    if (held !== undefined) return this.#check(held, decision);
    return this.#resolver.resolve(url.host, now).then((addresses) => this.#check(addresses, decision));
  }

  #check(addresses: readonly string[], { api, url }: Allowed): readonly string[] {
    if (api.route?.addresses === addresses) return addresses;
    for (const address of addresses) {
      const refusal = refuseAddress(address, url, this.#rules);
      if (refusal !== undefined)
        throw new ProblemError(
          'egress_refused',
          refusal.rule === 'own-address'
            ? 'The upstream is the mesh itself.'
            : `The upstream resolves to an address in a range that is not allowed (${refusal.range}).`,
        );
    }
    return addresses;
  }
}
