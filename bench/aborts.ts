// Callers that leave at every stage of a call, through the whole mesh, and how soon the upstream sees each of them go:
//   node bench/aborts.ts [--calls 1000] [--at-once 50]
// At the full count it takes about a minute.
import { parseArgs } from 'node:util';
import { AbortUpstream } from '../e2e/src/abort-upstream.ts';
import { runAborts } from '../e2e/src/aborts.ts';
import { rawTarget } from '../e2e/src/raw-call.ts';
import { openTestMesh } from '../e2e/src/test-mesh.ts';
import { quantile } from './stats.ts';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '1000' }, 'at-once': { type: 'string', default: '50' } },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

const upstream = await new AbortUpstream().open();
const mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
try {
  const { forward } = await mesh.register({
    name: 'aborts',
    base_url: `http://127.0.0.1:${upstream.port}`,
    auth_header: 'X-Key: canary-2c6f8d1e9b3a5f704e1d',
  });
  const { GATEWAY_PORT: gateway, FORWARDER_PORT: forwarder } = mesh.mesh.ports;
  const reports = await runAborts({
    upstream,
    target: rawTarget(forward, mesh.owner.api_key),
    ports: { gateway: gateway!, forwarder: forwarder! },
    calls: Number(values.calls),
    atOnce: Number(values['at-once']),
  });
  say(
    '| the caller leaves | calls | seen within 250 ms | p50, ms | p99, ms | max, ms | nothing left after, ms |',
  );
  say('|---|---:|---:|---:|---:|---:|---:|');
  for (const { stage, closeMs, settledMs } of reports) {
    const within = closeMs.filter((ms) => ms <= 250).length;
    const cells = [0.5, 0.99, 1].map((part) => quantile(closeMs, part).toFixed(1));
    say(`| ${stage} | ${closeMs.length} | ${within} | ${cells.join(' | ')} | ${settledMs.toFixed(0)} |`);
  }
} finally {
  await mesh.stop();
  upstream.close();
}
