export { type Config, readConfig } from './config.ts';
export { buildGateway, type Gateway, type GatewayDeps } from './gateway.ts';
