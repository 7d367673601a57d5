import { type Cidr, type IpBits, inCidr, parseCidr, parseIp } from './ip.ts';
import { POLICY } from './policy.ts';

/**
 * What an address is. `private` ranges are those that an operator's own services live in; `reserved` covers everything else
 * that a public provider cannot have: link-local and metadata, multicast, translated and documentation ranges.
 */
export type AddressVerdict =
  | { kind: 'public' }
  | { kind: 'private'; range: string }
  | { kind: 'reserved'; range: string }
  | { kind: 'not-an-address' };

/** Classifies one address by POLICY. Mapped, translated, 6to4 and Teredo addresses are `reserved` whatever they wrap. */
export function classifyAddress(address: string): AddressVerdict {
  const ip = parseIp(address);
  if (ip === undefined) return { kind: 'not-an-address' };
  const metadata = METADATA.find((entry) => inCidr(ip, entry.cidr));
  if (metadata !== undefined) return { kind: 'reserved', range: metadata.range };
  const own = PRIVATE.find((entry) => inCidr(ip, entry.cidr));
  if (own !== undefined) return { kind: 'private', range: own.range };
  return ip.family === 4 ? classifyIpv4(ip) : classifyIpv6(ip);
}

function classifyIpv4(ip: IpBits): AddressVerdict {
  const denied = DENY_IPV4.find((entry) => inCidr(ip, entry.cidr));
  return denied === undefined ? { kind: 'public' } : { kind: 'reserved', range: denied.range };
}

function classifyIpv6(ip: IpBits): AddressVerdict {
  const denied = DENY_IPV6.find((entry) => inCidr(ip, entry.cidr));
  if (denied !== undefined) return { kind: 'reserved', range: denied.range };
  const global = ALLOW_IPV6.some((entry) => inCidr(ip, entry.cidr));
  return global ? { kind: 'public' } : { kind: 'reserved', range: 'not global unicast' };
}

interface Range {
  range: string;
  cidr: Cidr;
}

const ranges = (blocks: readonly string[]): Range[] =>
  blocks.map((range) => {
    const cidr = parseCidr(range);
    if (cidr === undefined) throw new RangeError(`${range} is not a block of addresses`);
    return { range, cidr };
  });

const DENY_IPV4 = ranges(POLICY.denyIpv4);
const ALLOW_IPV6 = ranges(POLICY.allowIpv6);
const DENY_IPV6 = ranges(POLICY.denyIpv6InsideAllowed);

/** Instance metadata that lies inside a private range: Alibaba, AWS over IPv6, Google over IPv6. */
const METADATA = ranges(['100.100.100.200/32', 'fd00:ec2::/32', 'fd20:ce::/32']);

/** Where an operator's own services live: loopback, RFC 1918, RFC 6598, fake-IP resolvers (RFC 2544), RFC 4193. */
const PRIVATE = ranges([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
]);
