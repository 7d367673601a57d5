export * from './address.ts';
export * from './allow.ts';
export * from './base-url.ts';
export { formatIp, parseIp } from './ip.ts';
export * from './path.ts';
export * from './policy.ts';
export * from './rules.ts';
