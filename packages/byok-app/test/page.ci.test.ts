import { CANARY, pageRig } from './kit/rig.ts';

const rig = pageRig();

describe('the first load', () => {
  it('is less than 150 kB, compressed with gzip, heads left out', async () => {
    await rig.go('');
    await rig.page.getByRole('button', { name: 'Sign in' }).waitFor();
    const files = rig.visit.requests.filter((url) => !url.includes('/api/'));
    const sizes = await Promise.all(files.map(gzippedBytes));

    expect(files.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  async function gzippedBytes(url: string): Promise<number> {
    const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    await answer.arrayBuffer();
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    return Number(answer.headers.get('content-length'));
  }
});

describe('the first visit', () => {
  it('leads from a pasted key to a tested, saved API and a streamed answer', async () => {
    await rig.go('');
    await rig.signIn();
    await rig.page.getByRole('link', { name: 'Add API' }).click();
    await rig.page.getByRole('radio', { name: 'OpenAI', exact: true }).check({ force: true });
    await rig.page.getByLabel('Name', { exact: true }).fill('first');
    await rig.page.getByLabel('Base URL').fill(`http://${rig.upstream.host}`);
    await rig.page.getByLabel('API key', { exact: true }).fill(CANARY);
    await rig.page.getByRole('button', { name: 'Test', exact: true }).click();
    await rig.page.getByText('It works').waitFor();
    await rig.page.getByRole('button', { name: 'Save' }).click();

    await rig.page.getByRole('heading', { name: 'first' }).waitFor();
    await rig.page
      .getByText(`${rig.mesh.gateway}/api/zeq/apis/demo/first/forward`, { exact: true })
      .waitFor();
    await rig.page.getByRole('link', { name: 'Console' }).click();
    await rig.page.getByRole('button', { name: 'Send' }).click();
    await rig.page.getByText('Hello from a stream.').waitFor();
    await rig.page.getByText('done', { exact: false }).first().waitFor({ state: 'attached' });

    expect(rig.upstream.served).toEqual(['GET /v1/models', 'POST /v1/chat/completions']);
    expect(await rig.traces()).not.toContain(CANARY);
    expect(await rig.traces()).not.toContain(rig.mesh.machine.api_key);
  });

  it('says at which step a test failed, and keeps nothing of the credential that the upstream repeats', async () => {
    await rig.open('#/add');
    await rig.page.getByLabel('Base URL').fill(`http://${rig.upstream.host}`);
    rig.upstream.key = 'sk-another';
    await rig.page.getByLabel('API key', { exact: true }).fill(CANARY);
    await rig.page.getByRole('button', { name: 'Test', exact: true }).click();
    await rig.page.getByText('Failed at: credential accepted').waitFor();

    const answer = await rig.page.getByLabel('Result of the test').textContent();
    expect(answer).toContain('Incorrect API key');
    expect(answer).not.toContain(CANARY);
  });
});

describe('signing in', () => {
  it('tells a wrong key from one that is not a key at all', async () => {
    await rig.go('');
    await rig.signIn('zat_0123456789');
    await rig.page.getByText('This is an app token').waitFor();
    await rig.signIn(`zsm_${'0'.repeat(43)}`);
    await rig.page.getByText('The mesh does not know this key').waitFor();

    expect(await rig.page.getByLabel('Machine key', { exact: true }).inputValue()).toBe('');
  });

  it('is shared by tabs, and so is signing out', async () => {
    await rig.open('');
    const other = await rig.visit.context.newPage();
    await other.goto(rig.mesh.page);
    await other.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();

    await rig.page.getByRole('button', { name: 'Sign out' }).click();

    await other.getByRole('heading', { name: 'Sign in to your machine' }).waitFor();
    expect((await rig.visit.context.cookies()).filter(({ name }) => name === 'zeq_session')).toEqual([]);
  });

  it('hides its cookie from scripts and from other sites', async () => {
    await rig.open('');

    const [cookie] = (await rig.visit.context.cookies(`${rig.mesh.gateway}/api/`)).filter(
      ({ name }) => name === 'zeq_session',
    );
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api' });
    expect(await rig.page.evaluate(() => document.cookie)).toBe('');
  });

  it('asks for the key again when the session is over, and goes on where it was', async () => {
    await rig.open('#/apis/sample/settings');
    await rig.page.getByLabel('Calls per minute').fill('601');
    await rig.visit.context.clearCookies();
    await rig.page.getByRole('button', { name: 'Save changes' }).click();

    const dialog = rig.page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.getByLabel('Machine key', { exact: true }).fill(rig.mesh.machine.api_key);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.waitFor({ state: 'hidden' });

    expect(await rig.page.getByLabel('Calls per minute').inputValue()).toBe('601');
  });
});

describe('an API', () => {
  it('answers that its upstream is down in the words of the mesh', async () => {
    await rig.register('down', rig.gone);
    await rig.open('#/apis/down/console');
    await rig.page.getByRole('button', { name: 'Send' }).click();

    await rig.page.getByText('refused by the mesh: connect_failed').waitFor();
  });

  it('gets another header in the place of the one it has', async () => {
    await rig.register('replace');
    rig.upstream.key = 'sk-next-0123456789abcdefghijkl';
    await rig.open('#/apis/replace/settings');
    await rig.page.getByRole('button', { name: 'Replace', exact: true }).click();
    await rig.page.getByLabel('API key', { exact: true }).fill(rig.upstream.key);
    await rig.page.getByRole('button', { name: 'Test the new one' }).click();
    await rig.page.getByText('It works').waitFor();
    await rig.page.getByRole('button', { name: 'Store and use it' }).click();
    await rig.page.getByText('The new credential is encrypted and in use').waitFor();
    await rig.page.getByRole('button', { name: 'Test', exact: true }).click();
    await rig.page.getByText('It works').waitFor();

    expect(await rig.traces()).not.toContain(rig.upstream.key);
  });

  it('shows a token once, and stops a stream of it when it is revoked', async () => {
    const api = await rig.register('streams');
    await rig.open('#/apis/streams/tokens');
    await rig.page.getByRole('button', { name: 'New token' }).first().click();
    await rig.page.getByLabel('App', { exact: true }).fill('website');
    await rig.page.getByRole('button', { name: 'Make token' }).click();
    const token = (await rig.page.getByLabel('token', { exact: true }).textContent()) ?? '';
    expect(token).toMatch(/^zat_/);
    await rig.page.getByRole('button', { name: 'I have it' }).click();
    expect(await rig.traces()).not.toContain(token);

    const answer = await fetch(`${rig.mesh.gateway}${api}/forward/v1/endless`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const ended = answer.text().catch(() => 'cut');
    await rig.page.getByRole('button', { name: 'Revoke website' }).click();
    await rig.page.getByRole('button', { name: 'Revoke token' }).click();
    await rig.page.getByText('No app can call this API yet').waitFor();

    expect(await ended).toBe('cut');
    expect(rig.upstream.streaming()).toBe(0);
  });

  it('is removed only after a question', async () => {
    const api = await rig.register('doomed');
    await rig.open('#/apis/doomed/settings');
    await rig.page.getByRole('button', { name: 'Remove doomed' }).click();
    await rig.page.getByRole('button', { name: 'Cancel' }).click();
    expect((await rig.mesh.call('GET', api)).status).toBe(200);

    await rig.page.getByRole('button', { name: 'Remove doomed' }).click();
    await rig.page.getByRole('button', { name: 'Remove for good' }).click();
    await rig.page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
    expect((await rig.mesh.call('GET', api)).status).toBe(404);
  });
});

describe('the keyboard', () => {
  it('is enough to sign in, look at an API and send a request', async () => {
    await rig.go('');
    await rig.page.getByLabel('Machine key', { exact: true }).waitFor();
    await rig.page.keyboard.type(rig.mesh.machine.api_key);
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
    await tabTo('sample');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'sample' }).waitFor();
    await tabTo('Console');
    await rig.page.keyboard.press('Enter');
    await tabTo('Send');
    await rig.page.keyboard.press('Enter');

    await rig.page.getByText('data: {"n":10}').waitFor();
  });

  /** Tabs forward until what has the focus is called so. */
  async function tabTo(name: string): Promise<void> {
    for (let i = 0; i < 40; i++) {
      await rig.page.keyboard.press('Tab');
      const text = await rig.page.evaluate(() => document.activeElement?.textContent?.trim());
      if (text === name) return;
    }
    throw new Error(`${name} cannot be reached with the Tab key`);
  }
});

describe('the clock', () => {
  it('verifies signatures and links in the browser, without a session', async () => {
    await rig.go('#/clock');

    await rig.page.getByText('signature and link').nth(2).waitFor();
    expect(await rig.page.getByText('Broken chain').count()).toBe(0);
  });
});

describe('operators', () => {
  it('show equations only to who is signed in, and compute with a proof that holds', async () => {
    await rig.go('#/operators/KO42');
    await rig.page.getByText('Sign in to see its equation').waitFor();
    await rig.open('#/operators/KO42');
    await rig.page.getByRole('button', { name: 'Compute' }).click();
    await rig.page.getByRole('button', { name: 'Check the proof' }).click();

    await rig.page.getByText('The proof holds').waitFor();
  });
});

describe('the rotation', () => {
  it('is shown to an operator, whose key is not kept', async () => {
    await rig.go('#/rotation');
    await rig.page.getByLabel('Operator key', { exact: true }).fill(rig.mesh.x_admin_key);
    await rig.page.getByRole('button', { name: 'Show progress' }).click();
    await rig.page.getByText('Current key id').waitFor();

    expect(await rig.traces()).not.toContain(rig.mesh.x_admin_key);
    await rig.page.reload();
    await rig.page.getByLabel('Operator key', { exact: true }).waitFor();
  });
});
