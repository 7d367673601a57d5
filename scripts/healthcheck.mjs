// Whether the service of this container can serve: exit 0 for a 200 of /ready, 1 for anything else.
// The service's port is the one variable of the known names that compose has set, or the first argument.
const PORTS = ['GATEWAY_PORT', 'SYNC_PORT', 'VAULT_PORT', 'FORWARDER_PORT', 'OPERATOR_PORT', 'ZEQOND_PORT'];
const port = process.argv[2] ?? PORTS.map((name) => process.env[name]).find(Boolean) ?? '4000';

try {
  const res = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(4_000) });
  const { status, missing } = await res.json();
  process.stdout.write(`${status}${missing?.length > 0 ? `: ${missing.join(', ')}` : ''}\n`);
  process.exitCode = res.ok ? 0 : 1;
} catch (err) {
  process.stdout.write(`no answer: ${err.cause?.code ?? err.name}\n`);
  process.exitCode = 1;
}
