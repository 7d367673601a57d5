import type { Credential } from '../../resources/apis.ts';
import type { Context, Options } from '../command.ts';

export const CREDENTIAL_OPTIONS: Options = {
  'header-file': {
    type: 'string',
    value: 'FILE',
    text: 'read the credential from the first line of a file; - is stdin',
  },
};

/** Asks for a credential: a whole header line, or the bare key of a preset. It never stands on the command line. */
export async function readCredential(
  { settings, options }: Context,
  form: 'header' | 'key',
): Promise<Credential> {
  const secret = await settings.secrets.ask({
    what: form === 'key' ? "The provider's key" : 'Header line (Name: value)',
    file: options.text('header-file'),
    option: '--header-file',
    variable: 'ZEQ_API_HEADER',
  });
  return form === 'key' ? { api_key: secret } : { auth_header: secret };
}
