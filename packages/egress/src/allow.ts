import { type Cidr, inCidr, parseCidr, parseIp } from './ip.ts';

interface AddressEntry {
  cidr: Cidr;
  port: number | undefined;
}

interface HostEntry {
  host: string;
  port: number | undefined;
}

/**
 * The operator's exceptions to the egress policy (`ZEQ_EGRESS_ALLOW`). What an entry names may be reached although the policy
 * refuses it, by plain http too. A host entry opens private ranges for that name; link-local, metadata and the other reserved
 * ranges stay closed unless a block of addresses names them.
 */
export class EgressAllow {
  readonly #addresses: readonly AddressEntry[];
  readonly #hosts: readonly HostEntry[];

  constructor(addresses: readonly AddressEntry[] = [], hosts: readonly HostEntry[] = []) {
    this.#addresses = addresses;
    this.#hosts = hosts;
  }

  namesAddress(address: string, port: number): boolean {
    const ip = parseIp(address);
    if (ip === undefined) return false;
    return this.#addresses.some((entry) => inCidr(ip, entry.cidr) && (entry.port ?? port) === port);
  }

  /** @param host In the form that `parseBaseUrl` gives: lower case, without brackets. */
  namesHost(host: string, port: number): boolean {
    return this.#hosts.some((entry) => entry.host === host && (entry.port ?? port) === port);
  }

  /** Whether this very port is named for the host or address: only that opens a port that the policy denies. */
  namesPort(hostOrAddress: string, port: number): boolean {
    const ip = parseIp(hostOrAddress);
    if (ip !== undefined)
      return this.#addresses.some((entry) => entry.port === port && inCidr(ip, entry.cidr));
    return this.#hosts.some((entry) => entry.host === hostOrAddress && entry.port === port);
  }
}

/**
 * Parses a comma list of blocks (`10.0.0.0/8`), addresses, hosts (`ollama`), and hosts or addresses with a port
 * (`localhost:11434`, `[::1]:8080`).
 *
 * @throws RangeError naming every entry that is none of these.
 */
export function parseEgressAllow(text: string): EgressAllow {
  const addresses: AddressEntry[] = [];
  const hosts: HostEntry[] = [];
  const wrong: string[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const address = parseAddressEntry(entry);
    const host = address === undefined ? parseHostEntry(entry) : undefined;
    if (address !== undefined) addresses.push(address);
    else if (host !== undefined) hosts.push(host);
    else wrong.push(entry);
  }
  if (wrong.length > 0)
    throw new RangeError(`has entries that are not a block, a host or host:port: ${wrong.join(', ')}`);
  return new EgressAllow(addresses, hosts);
}

const ADDRESS_WITH_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/;

function parseAddressEntry(entry: string): AddressEntry | undefined {
  const bare = parseCidr(entry.replace(/^\[(.*)\]$/, '$1'));
  if (bare !== undefined) return { cidr: bare, port: undefined };
  const match = ADDRESS_WITH_PORT.exec(entry);
  const cidr = match === null ? undefined : parseCidr(match[1] ?? match[2]!);
  const port = match === null ? undefined : parsePort(match[3]!);
  return cidr === undefined || port === undefined ? undefined : { cidr, port };
}

const HOST_ENTRY = /^((?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*)(?::([0-9]{1,5}))?$/;
const ENDS_IN_NUMBER = /(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)$/;

function parseHostEntry(entry: string): HostEntry | undefined {
  const match = HOST_ENTRY.exec(entry);
  if (match === null || ENDS_IN_NUMBER.test(match[1]!)) return undefined;
  const port = match[2] === undefined ? undefined : parsePort(match[2]);
  if (match[2] !== undefined && port === undefined) return undefined;
  return { host: match[1]!.toLowerCase(), port };
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : undefined;
}
