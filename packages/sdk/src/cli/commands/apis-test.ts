import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { facts } from '../output.ts';
import { printable } from '../terminal/terminal.ts';

export const apisTest: Command = {
  name: 'apis test',
  args: '<api> [path]',
  summary: 'one call with the stored credential; says which step failed',
  options: { method: { type: 'string', short: 'X', value: 'METHOD', text: 'default: GET' } },
  examples: ['zeq apis test openai /v1/models'],
  async run({ args, options, client, show }) {
    const [api, path] = args as [string, string?];
    const method = options.text('method');
    const result = await (await client()).apis.test(api, {
      ...(path && { path }),
      ...(method && { method }),
    });
    const { ok, status, latency_ms, failed_step, code, detail, body } = result;
    const told = facts([
      ['result', ok ? 'ok' : 'failed'],
      ['status', status],
      ['latency', `${latency_ms.toFixed(1)} ms`],
      ['step', failed_step],
      ['code', code],
      ['detail', detail],
    ]);
    await show(result, body === '' ? told : `${told}\n\n${printable(body).trimEnd()}`);
    return ok ? EXIT.ok : EXIT.refused;
  },
};
