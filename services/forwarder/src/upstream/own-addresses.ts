import { networkInterfaces } from 'node:os';

/**
 * This machine's addresses, so that no call can be pointed back at us. Loopback is left out: the policy refuses it anyway,
 * and what an operator runs there beside the mesh has to be nameable.
 */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal)
    .map((entry) => entry.address.split('%', 1)[0]!);
}
