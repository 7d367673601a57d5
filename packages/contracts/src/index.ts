export * from './access.ts';
export * from './apis.ts';
export * from './ids.ts';
export * from './internal.ts';
export * from './machines.ts';
export * from './problems.ts';
export * from './providers.ts';
export * from './routes.ts';
