import type { RegisterApiInput } from '@zeq/contracts';
import type { Command } from '../command.ts';
import { factsOf } from './apis.ts';
import { CREDENTIAL_OPTIONS, readCredential } from './credential.ts';

export const apisAdd: Command = {
  name: 'apis add',
  args: '<name>',
  summary: 'register an API; its credential is read from a hidden prompt or from stdin',
  details:
    'The credential is the whole header line, such as `Authorization: Bearer sk-…`; with --provider it is the bare key, and the\npreset knows the address and the header.',
  options: {
    'base-url': { type: 'string', value: 'URL', text: 'where it is; a preset knows its own' },
    provider: { type: 'string', value: 'PRESET', text: 'openai, anthropic, gemini and so on' },
    'rate-limit': { type: 'string', value: 'N', text: 'calls per minute (default: 60)' },
    ...CREDENTIAL_OPTIONS,
  },
  examples: [
    'zeq apis add openai --provider openai',
    'zeq apis add weather --base-url https://api.weather.example --header-file header.txt',
    'pass show weather | zeq apis add weather --base-url https://api.weather.example',
  ],
  async run(context) {
    const { args, options, client, show } = context;
    const [base_url, provider] = [options.text('base-url'), options.text('provider')];
    const rate_limit_per_min = options.whole('rate-limit', { min: 1, max: 1_000_000 });
    const mesh = await client();
    const api = await mesh.apis.add({
      name: args[0]!,
      ...(base_url && { base_url }),
      // the mesh has the list of presets and says when a name is not on it
      ...(provider && { provider: provider as NonNullable<RegisterApiInput['provider']> }),
      ...(rate_limit_per_min !== undefined && { rate_limit_per_min }),
      ...(await readCredential(context, provider === undefined ? 'header' : 'key')),
    });
    await show(api, factsOf(api));
  },
};

export const apisRotate: Command = {
  name: 'apis rotate',
  args: '<api>',
  summary: 'replace the credential; the new one is read from a hidden prompt or from stdin',
  details: 'Calls under way end with the old credential, the next ones have the new.',
  options: {
    'bare-key': { type: 'boolean', text: 'it is the bare key of a preset, not a header line' },
    ...CREDENTIAL_OPTIONS,
  },
  examples: ['zeq apis rotate openai --bare-key', 'vault read … | zeq apis rotate weather'],
  async run(context) {
    const { args, options, client, show } = context;
    const mesh = await client();
    const credential = await readCredential(context, options.flag('bare-key') ? 'key' : 'header');
    const api = await mesh.apis.rotate(args[0]!, credential);
    await show(api, factsOf(api));
  },
};
