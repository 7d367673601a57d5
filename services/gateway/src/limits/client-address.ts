import { BlockList, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Finds the address that a request is counted under. `X-Forwarded-For` is read from the right, past the hops that are
 * ours, and only when the socket's peer is one of them: everything further left was written by the client.
 */
export class ClientAddresses {
  readonly #trusted: BlockList;
  readonly #peers = new WeakMap<Duplex, { key: string; trusted: boolean }>();

  constructor(trusted: BlockList = new BlockList()) {
    this.#trusted = trusted;
  }

  /** @returns The address, for IPv6 its /64: one subscriber has a whole one, so each of its addresses must count as the same. */
  keyOf(socket: Socket, forwardedFor: string): string {
    let peer = this.#peers.get(socket);
    if (peer === undefined) {
      const address = plainAddress(socket.remoteAddress ?? '');
      peer = { key: limitKey(address), trusted: this.#isTrusted(address) };
      this.#peers.set(socket, peer);
    }
    if (!peer.trusted || forwardedFor === '') return peer.key;
    return this.#firstStranger(forwardedFor) ?? peer.key;
  }

  /** Counts what comes over a connection of our own making under the address of whom it is made for, whatever its headers say. */
  assume(connection: Duplex, key: string): void {
    this.#peers.set(connection, { key, trusted: false });
  }

  #firstStranger(forwardedFor: string): string | undefined {
    for (const hop of forwardedFor.split(',').reverse()) {
      const address = plainAddress(hop.trim());
      if (isIP(address) === 0) return undefined;
      if (!this.#isTrusted(address)) return limitKey(address);
    }
    return undefined;
  }

  #isTrusted(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Without the IPv4-mapped prefix, brackets and zone. */
function plainAddress(text: string): string {
  const address = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

/** IPv4 as it is, IPv6 as the four groups of its /64. */
export function limitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const all = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${all.slice(0, 4).map(shortGroup).join(':')}::/64`;
}

/** A dotted tail stands for two groups. */
function groups(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

const shortGroup = (group: string) => Number.parseInt(group, 16).toString(16);
