import type { Command } from '../command.ts';
import { facts, table } from '../output.ts';

const NO = '-';

export const machines: readonly Command[] = [
  {
    name: 'machines show',
    summary: 'the machine you are signed in to',
    async run({ client, show }) {
      const session = await (await client()).session.show();
      await show(
        session,
        facts([
          ['machine', session.machine.slug],
          ['scope', session.scope],
          ['expires', session.expires_at],
        ]),
      );
    },
  },
  {
    name: 'machines list',
    summary: 'every machine of the mesh (ZEQ_ADMIN_KEY, or asked for)',
    async run({ client, show }) {
      const list = await (await client({ key: false, admin: true })).admin.machines();
      const rows = list.map((machine) => [
        machine.slug,
        machine.display_name,
        machine.id,
        machine.created_at,
      ]);
      await show(list, table(['slug', 'name', 'id', 'created'], rows));
    },
  },
  {
    name: 'machines create',
    args: '<slug>',
    summary: 'make a machine; its first key is shown once (ZEQ_PLATFORM_KEY, or asked for)',
    options: { name: { type: 'string', value: 'NAME', text: 'what it is called' } },
    examples: ['zeq machines create alice --name "Alice\'s apps"'],
    async run({ args, options, client, show }) {
      const display_name = options.text('name');
      const mesh = await client({ key: false, platform: true });
      const made = await mesh.machines.create({ slug: args[0]!, ...(display_name && { display_name }) });
      await show(
        made,
        facts([
          ['machine', made.machine.slug],
          ['id', made.machine.id],
          ['key', made.api_key],
          ['', 'This is the only time the key is shown. Keep it: zeq login'],
        ]),
      );
    },
  },
  {
    name: 'machines keys',
    summary: 'the keys of your machine, by their first characters',
    async run({ client, show }) {
      const keys = await (await client()).keys.list();
      const rows = keys.map((key) => [key.id, key.name, key.prefix, key.scope, key.expires_at ?? NO]);
      await show(keys, table(['id', 'name', 'key', 'scope', 'expires'], rows));
    },
  },
  {
    name: 'machines add-key',
    summary: 'mint another key of your machine; it is shown once',
    options: {
      name: { type: 'string', value: 'NAME', text: 'what it is for' },
      scope: {
        type: 'string',
        value: 'SCOPE',
        choices: ['owner', 'forward', 'read'],
        text: 'what it may do',
      },
      expires: { type: 'string', value: 'TIME', text: 'its end, such as 2030-01-31T00:00:00.000Z' },
    },
    async run({ options, client, show }) {
      const [name, scope, expires_at] = [
        options.text('name'),
        options.text('scope'),
        options.text('expires'),
      ];
      const minted = await (await client()).keys.mint({
        ...(name && { name }),
        ...(scope && { scope: scope as 'owner' | 'forward' | 'read' }), // one of the choices
        ...(expires_at && { expires_at }),
      });
      await show(
        minted,
        facts([
          ['id', minted.key.id],
          ['scope', minted.key.scope],
          ['key', minted.api_key],
        ]),
      );
    },
  },
  {
    name: 'machines rm-key',
    args: '<id>',
    summary: 'revoke a key of your machine',
    async run({ args, client, show }) {
      await (await client()).keys.revoke(args[0]!);
      await show({ id: args[0], revoked: true }, 'Revoked.');
    },
  },
];
