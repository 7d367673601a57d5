import type { TescMessage } from '@zeq/contracts';
import type { ZeqClient } from '../../client/create-client.ts';
import { ZeqError } from '../../client/zeq-error.ts';
import type { TescChannelClient } from '../../tesc/channel.ts';
import type { Command, Context, Options } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readWhole } from '../files/input-file.ts';
import { facts, table } from '../output.ts';
import { printable, write } from '../terminal/terminal.ts';

const SECRET: Options = {
  'secret-file': {
    type: 'string',
    value: 'FILE',
    text: 'a file that holds the secret of the channel (ZEQ_TESC_SECRET_FILE)',
  },
};
/** Below what proxies allow for silence. */
const WAIT_SECONDS = 20;

export const tesc: readonly Command[] = [
  {
    name: 'tesc list',
    summary: 'the channels that your machine owns or joined',
    async run({ client, show }) {
      const channels = await (await client()).tesc.channels();
      const rows = channels.map((one) => [
        one.id,
        one.name ?? '-',
        one.owner ? 'owner' : 'member',
        String(one.depth),
      ]);
      await show(channels, table(['id', 'name', 'you are', 'messages'], rows));
    },
  },
  {
    name: 'tesc create',
    summary: 'open a channel; its secret is made by the mesh and shown once',
    options: { name: { type: 'string', value: 'NAME', text: 'what it is called' } },
    async run({ options, client, show }) {
      const name = options.text('name');
      const made = await (await client()).tesc.create(name ? { name } : {});
      await show(
        made,
        facts([
          ['channel', made.channel.id],
          ['secret', made.secret],
        ]),
      );
    },
  },
  {
    name: 'tesc rm',
    args: '<channel>',
    summary: 'remove a channel with its messages',
    async run({ args, client, show }) {
      await (await client()).tesc.remove(args[0]!);
      await show({ channel: args[0], removed: true }, 'Removed.');
    },
  },
  {
    name: 'tesc send',
    args: '<channel> [text…]',
    summary: 'send a message, sealed on this machine; without text it is read from stdin',
    details:
      'The first message joins the channel. The message counts in its Zeqond only; a clock that is off is corrected.',
    options: SECRET,
    examples: [
      'zeq tesc send tsc_… --secret-file secret.txt "Meet me in this moment."',
      'date | zeq tesc send tsc_… --secret-file secret.txt',
    ],
    run: send,
  },
  {
    name: 'tesc recv',
    args: '<channel>',
    summary: 'receive messages; each is checked and opened on this machine',
    options: {
      ...SECRET,
      after: {
        type: 'string',
        value: 'N',
        text: 'only what follows this number (default: 0, everything that is kept)',
      },
      follow: { type: 'boolean', short: 'f', text: 'wait for more, until Ctrl-C' },
    },
    examples: ['zeq tesc recv tsc_… --secret-file secret.txt --follow'],
    run: receive,
  },
];

async function send(context: Context): Promise<void> {
  const { args, settings, terminal, client, show } = context;
  const [id, ...words] = args as [string, ...string[]];
  if (words.length === 0) settings.secrets.keepStdinForData();
  const [url, mesh] = [await settings.url(), await client()];
  const channel = await openChannel(context, mesh, id);
  const text = words.length > 0 ? words.join(' ') : (await readWhole(terminal.stdin)).replace(/\n$/, '');
  try {
    const sent = await channel.send(text);
    await show(sent, `Message ${sent.seq} in Zeqond ${sent.zeqond}.`);
  } finally {
    if (channel.member) await settings.known.keepMember(url, id, channel.member);
  }
}

async function receive(context: Context): Promise<ExitCode> {
  const { args, options, client, signal } = context;
  const mesh = await client();
  const channel = await openChannel(context, mesh, args[0]!);
  let after = options.whole('after', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
  let exitCode: ExitCode = EXIT.ok;
  const follow = options.flag('follow');
  for (;;) {
    const wait = follow ? WAIT_SECONDS : 0;
    const timeoutMs = (WAIT_SECONDS + 10) * 1000;
    const { messages, next } = await mesh.tesc.messages(args[0]!, { after, wait }, { signal, timeoutMs });
    for (const message of messages)
      if (!(await showMessage(context, channel, message))) exitCode = EXIT.notVerified;
    after = next;
    if (messages.length === 0 && !follow) return exitCode;
  }
}

/** @returns Whether it is what its sender sent. */
async function showMessage(
  { options, terminal }: Context,
  channel: TescChannelClient,
  message: TescMessage,
): Promise<boolean> {
  const opened = await channel.open(message).catch((err: unknown) => {
    if (err instanceof ZeqError && err.code === 'plat_invalid') return undefined;
    throw err;
  });
  const text = opened?.text;
  const line = options.flag('json')
    ? JSON.stringify({
        ...message,
        verified: opened !== undefined,
        ...(text !== undefined && { message: text }),
      })
    : `${message.seq}  ${message.uid}  ${text === undefined ? 'NOT VERIFIED' : printable(text)}`;
  await write(terminal.stdout, `${line}\n`);
  return opened !== undefined;
}

async function openChannel(
  { options, settings }: Context,
  mesh: ZeqClient,
  id: string,
): Promise<TescChannelClient> {
  const secret = await settings.secrets.ask({
    what: 'Secret of the channel',
    file: options.text('secret-file'),
    option: '--secret-file',
    variable: 'ZEQ_TESC_SECRET',
  });
  return mesh.tesc.open(id, secret, await settings.known.member(await settings.url(), id));
}
