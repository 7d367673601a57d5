import { classifyAddress } from './address.ts';
import { EgressAllow } from './allow.ts';
import { formatIp, parseIp } from './ip.ts';

/** What holds in one deployment beside POLICY. */
export interface EgressRules {
  allow: EgressAllow;
  /** The mesh's own public names, lower case: forwarding to ourselves loops and lends our trust to the caller. */
  ownHosts: readonly string[];
  /** The mesh's own addresses that are not loopback, in canonical text. */
  ownAddresses: readonly string[];
  /** The only ports that may be used, where the operator gives a list. */
  ports: readonly number[] | undefined;
}

/** Rules with what is not given left empty: no exception, nothing known to be ours, any port that POLICY does not deny. */
export function egressRules(given: Partial<EgressRules> = {}): EgressRules {
  return {
    allow: given.allow ?? new EgressAllow(),
    ownHosts: (given.ownHosts ?? []).map((host) => host.toLowerCase()),
    ownAddresses: (given.ownAddresses ?? []).map(canonicalAddress),
    ports: given.ports,
  };
}

function canonicalAddress(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined) throw new RangeError(`${text} is not an address`);
  return formatIp(ip);
}

/** Why an address may not be dialled: which rule, and the range it lies in where there is one. */
export interface AddressRefusal {
  rule: 'own-address' | 'address';
  range: string;
}

/**
 * Decides whether one address may be dialled for a target. Every address of a name has to pass, each time it is resolved.
 *
 * @returns The refusal, or undefined when the address may be dialled.
 */
export function refuseAddress(
  address: string,
  target: { host: string; port: number },
  rules: EgressRules,
): AddressRefusal | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return { rule: 'address', range: 'not an address' };
  if (rules.allow.namesAddress(address, target.port)) return undefined;
  if (rules.ownAddresses.includes(formatIp(ip))) return { rule: 'own-address', range: 'the mesh itself' };
  const verdict = classifyAddress(address);
  if (verdict.kind === 'public') return undefined;
  if (verdict.kind === 'private' && rules.allow.namesHost(target.host, target.port)) return undefined;
  return { rule: 'address', range: 'range' in verdict ? verdict.range : 'not an address' };
}
