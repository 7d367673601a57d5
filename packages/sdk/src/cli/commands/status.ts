import type { Command } from '../command.ts';
import { facts } from '../output.ts';

export const status: Command = {
  name: 'status',
  summary: 'whether the mesh answers, who you are there, and where its clock stands',
  async run({ client, settings, show }) {
    const url = await settings.url();
    const mesh = await client({ key: false });
    const [health, clock] = await Promise.all([mesh.health.show(), mesh.clock.status()]);
    const session = await client().then(
      (own) => own.session.show(),
      () => undefined,
    );
    const value = { url, health, session: session ?? null, clock };
    await show(
      value,
      facts([
        ['mesh', `${url} (${health.service} ${health.version}, ${health.status})`],
        ['machine', session ? `${session.machine.slug} (${session.scope})` : 'not signed in'],
        ['zeqond', clock.zeqond],
        ['chain', clock.chain ? `depth ${clock.chain.depth}, signed by ${clock.uid}` : 'not attested'],
        ['hite', health.hite_enabled],
      ]),
    );
  },
};
