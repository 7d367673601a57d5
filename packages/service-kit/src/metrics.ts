import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry of one service: the runtime's own figures, and whatever the service adds. Labels carry no tenant secret and no path. */
export function buildMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
