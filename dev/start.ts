// `npm start`: the whole mesh on this machine, with nothing installed but Node and npm.
import { buildPage } from './build-page.ts';
import { type Mesh, startMesh } from './mesh.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

let mesh: Mesh | undefined;
try {
  say('Starting the mesh …');
  await buildPage((text) => say(`  ${text}`));
  mesh = await startMesh({ env: process.env, onProgress: (text) => say(`  ${text}`) });
} catch (err) {
  process.stderr.write(`\n${(err as Error).message}\n`);
  process.exit(1);
}
say(welcome(mesh));

let stopping = 0;
const stop = (signal: NodeJS.Signals) => {
  const now = performance.now();
  // One Ctrl-C may arrive twice, from the terminal and through npm; a second one a second later means it.
  if (stopping !== 0) return void (now - stopping > 1000 && process.exit(130));
  stopping = now;
  say(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: stopping everything in order …`);
  mesh.stop().then(() => {
    say('Stopped.');
    process.exit(0);
  });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

/** One screen that tells a newcomer what to do next. Its curl lines work as printed. */
function welcome({ gateway, page, machine, apis, xApiKey, dataDir }: Mesh): string {
  const forward = apis[0]?.forward;
  return `
The mesh is running.

  Page         ${page}
  API docs     ${gateway}/api-docs
  Machine      ${machine.slug}
  Its key      ${machine.api_key}

Call the sample upstream through the mesh; the mesh attaches its key, you never see it:

  curl ${forward}/v1/hello -H "Authorization: Bearer ${machine.api_key}"

Watch it stream:

  curl -N ${forward}/v1/stream -H "Authorization: Bearer ${machine.api_key}"

Register a provider of your own (then call it at …/openai/forward/v1):

  curl ${gateway}/api/zeq/apis/${machine.slug} -H "Authorization: Bearer ${machine.api_key}" -H "Content-Type: application/json" -d '{"name":"openai","provider":"openai","api_key":"sk-your-own-key-goes-here-0123456789"}'

Keys for scripts are in ${dataDir}/dev.json, logs in ${dataDir}/logs. X-API-Key of the platform: ${xApiKey.slice(0, 6)}… (whole in dev.json)
Ctrl-C stops everything.
`;
}
