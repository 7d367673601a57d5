import type { ServiceName } from '@zeq/contracts';

/** One process of the mesh: where it lives, where it listens, what it waits for. */
export interface ServiceSpec {
  name: ServiceName;
  // its folder is services/NAME, with src/main.ts and src/config.ts
  portVariable: string;
  defaultPort: number;
  /** The variable by which the others find it. */
  urlVariable: string;
}

/** In the order in which they start; they stop in reverse. */
export const SERVICES: readonly ServiceSpec[] = [
  { name: 'byok-vault', portVariable: 'VAULT_PORT', defaultPort: 4002, urlVariable: 'VAULT_URL' },
  { name: 'forwarder', portVariable: 'FORWARDER_PORT', defaultPort: 4003, urlVariable: 'FORWARDER_URL' },
  { name: 'sync-engine', portVariable: 'SYNC_PORT', defaultPort: 4001, urlVariable: 'SYNC_URL' },
  { name: 'operator-engine', portVariable: 'OPERATOR_PORT', defaultPort: 8080, urlVariable: 'OPERATOR_URL' },
  { name: 'zeqond-daemon', portVariable: 'ZEQOND_PORT', defaultPort: 2871, urlVariable: 'ZEQOND_URL' },
  { name: 'gateway', portVariable: 'GATEWAY_PORT', defaultPort: 4000, urlVariable: 'GATEWAY_URL' },
];

export const SAMPLE = { portVariable: 'SAMPLE_PORT', defaultPort: 4010 };

export type Ports = Record<string, number>;

/** The port of every process, from the environment or its default. @throws Error naming each variable that is not a port. */
export function readPorts(env: NodeJS.ProcessEnv): Ports {
  const ports: Ports = {};
  const wrong: string[] = [];
  for (const { portVariable, defaultPort } of [...SERVICES, SAMPLE]) {
    const text = env[portVariable];
    const port = text === undefined || text === '' ? defaultPort : Number(text);
    if (Number.isInteger(port) && port >= 1 && port <= 65535) ports[portVariable] = port;
    else wrong.push(`  ${portVariable} must be a port, 1 to 65535`);
  }
  if (wrong.length > 0) throw new Error(`The mesh cannot start. Fix these settings:\n${wrong.join('\n')}`);
  return ports;
}
