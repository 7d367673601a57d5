import { jest } from '@jest/globals';
import type { ApiView } from '@zeq/contracts';
import { preparePlatform } from '../src/owners/platform.ts';
import { ownerOf } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

const platform = async () => (await vault.store.machines.findBySlug('platform'))!;

async function listed(): Promise<ApiView[]> {
  const { body } = await vault
    .as(ownerOf(await platform()))
    .get('/api/zeq/apis/platform')
    .expect(200);
  return body;
}

const prepare = (keys: Parameters<typeof preparePlatform>[1]) => preparePlatform(vault, keys, vault.log);

describe('preparePlatform', () => {
  it('makes the machine also when there is no key at all', async () => {
    expect(await platform()).toMatchObject({ slug: 'platform', displayName: 'Platform' });
    expect(await listed()).toEqual([]);
  });

  it('registers an API for each key, once, also when two vaults start at once', async () => {
    const keys = { OPENAI_API_KEY: `${newCanary()}open`, DEEPSEEK_API_KEY: `${newCanary()}deep` };

    await Promise.all([prepare(keys), prepare(keys)]);
    await prepare(keys);

    const apis = await listed();
    expect(
      apis.map(({ name, base_url, auth_hint, auth_state }) => [name, base_url, auth_hint, auth_state]),
    ).toEqual(
      expect.arrayContaining([
        ['openai', 'https://api.openai.com', '…open', 'ok'],
        ['deepseek', 'https://api.deepseek.com', '…deep', 'ok'],
      ]),
    );
    expect(apis).toHaveLength(2);
  });

  it('replaces a key that has changed, leaves one that has not, and keeps one whose variable is gone', async () => {
    const key = `${newCanary()}same`;
    await prepare({ FIREWORKS_API_KEY: key });
    const before = await listed();

    await prepare({ FIREWORKS_API_KEY: key });
    expect(await listed()).toEqual(before);
    await prepare({ FIREWORKS_API_KEY: `${newCanary()}next` });
    const replaced = await listed();
    await prepare({});

    expect(replaced.find(({ name }) => name === 'fireworks')?.auth_hint).toBe('…next');
    expect(await listed()).toEqual(replaced);
  });

  it('says nothing of the keys', async () => {
    const canary = newCanary();

    await prepare({ OPENAI_API_KEY: canary });

    expect(vault.logLines.join('')).not.toContain(canary);
  });
});
