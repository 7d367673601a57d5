import { jest } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { openBrowser, type Visit } from './kit/browser.ts';
import { type RunningMesh, startMesh } from './kit/mesh.ts';
import { openUpstream, type Upstream } from './kit/upstream.ts';

jest.setTimeout(120_000);

/** Looked for wherever it must not be. */
const CANARY = 'sk-canary-7Hq2Lw9Xv4Rt0Yp6Nm3Bc8Df5Gj1';

let mesh: RunningMesh;
let upstream: Upstream;
/** Where nobody listens any more. */
let gone: string;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  const [closed, open] = await Promise.all([openUpstream(CANARY), openUpstream(CANARY)]);
  await closed.close();
  gone = closed.host;
  upstream = open;
  mesh = await startMesh([upstream.host, gone]);
});
afterAll(async () => {
  await mesh?.stop();
  await upstream?.close();
});

beforeEach(async () => {
  upstream.key = CANARY;
  visit = await openBrowser();
  page = visit.page;
  page.setDefaultTimeout(20_000);
});
afterEach(async () => {
  const { errors, requests } = visit;
  await visit.close();
  // holds for every test below
  expect(errors).toEqual([]);
  expect(requests.filter((url) => new URL(url).origin !== mesh.gateway)).toEqual([]);
});

const go = (hash: string) => page.goto(`${mesh.page}${hash}`);

async function signIn(key = mesh.machine.api_key): Promise<void> {
  await page.getByLabel('Machine key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function open(hash: string): Promise<void> {
  await go('');
  await signIn();
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  await go(hash);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** An API of the stand-in provider, as its owner would register it by hand. */
async function register(name: string, host = upstream.host): Promise<string> {
  const answer = await mesh.call('POST', `/api/zeq/apis/${mesh.machine.slug}`, {
    name,
    provider: 'openai',
    base_url: `http://${host}`,
    api_key: CANARY,
  });
  expect(answer.status).toBe(201);
  return `/api/zeq/apis/${mesh.machine.slug}/${name}`;
}

/** Everything in which a browser could keep something of a secret. */
const traces = async (): Promise<string> =>
  JSON.stringify([
    await page.content(),
    await page.evaluate(() => [
      ...Array.from(document.querySelectorAll('input, textarea'), (each) => (each as HTMLInputElement).value),
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      location.href,
      document.cookie,
    ]),
    visit.console,
    visit.requests,
  ]);

describe('the first visit', () => {
  it('leads from a pasted key to a tested, saved API and a streamed answer', async () => {
    await go('');
    await signIn();
    await page.getByRole('link', { name: 'Add API' }).click();
    await page.getByRole('radio', { name: 'OpenAI', exact: true }).check({ force: true });
    await page.getByLabel('Name', { exact: true }).fill('first');
    await page.getByLabel('Base URL').fill(`http://${upstream.host}`);
    await page.getByLabel('API key', { exact: true }).fill(CANARY);
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('It works').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();

    await page.getByRole('heading', { name: 'first' }).waitFor();
    await page.getByText(`${mesh.gateway}/api/zeq/apis/demo/first/forward`, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Hello from a stream.').waitFor();
    await page.getByText('done', { exact: false }).first().waitFor({ state: 'attached' });

    expect(upstream.served).toEqual(['GET /v1/models', 'POST /v1/chat/completions']);
    expect(await traces()).not.toContain(CANARY);
    expect(await traces()).not.toContain(mesh.machine.api_key);
  });

  it('says at which step a test failed, and keeps nothing of the credential that the upstream repeats', async () => {
    await open('#/add');
    await page.getByLabel('Base URL').fill(`http://${upstream.host}`);
    upstream.key = 'sk-another';
    await page.getByLabel('API key', { exact: true }).fill(CANARY);
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('Failed at: credential accepted').waitFor();

    const answer = await page.getByLabel('Result of the test').textContent();
    expect(answer).toContain('Incorrect API key');
    expect(answer).not.toContain(CANARY);
  });
});

describe('signing in', () => {
  it('tells a wrong key from one that is not a key at all', async () => {
    await go('');
    await signIn('zat_0123456789');
    await page.getByText('This is an app token').waitFor();
    await signIn(`zsm_${'0'.repeat(43)}`);
    await page.getByText('The mesh does not know this key').waitFor();

    expect(await page.getByLabel('Machine key', { exact: true }).inputValue()).toBe('');
  });

  it('is shared by tabs, and so is signing out', async () => {
    await open('');
    const other = await visit.context.newPage();
    await other.goto(mesh.page);
    await other.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();

    await other.getByRole('heading', { name: 'Sign in to your machine' }).waitFor();
    expect((await visit.context.cookies()).filter(({ name }) => name === 'zeq_session')).toEqual([]);
  });

  it('hides its cookie from scripts and from other sites', async () => {
    await open('');

    const [cookie] = (await visit.context.cookies(`${mesh.gateway}/api/`)).filter(
      ({ name }) => name === 'zeq_session',
    );
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api' });
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  it('asks for the key again when the session is over, and goes on where it was', async () => {
    await open('#/apis/sample/settings');
    await page.getByLabel('Calls per minute').fill('601');
    await visit.context.clearCookies();
    await page.getByRole('button', { name: 'Save changes' }).click();

    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.getByLabel('Machine key', { exact: true }).fill(mesh.machine.api_key);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.waitFor({ state: 'hidden' });

    expect(await page.getByLabel('Calls per minute').inputValue()).toBe('601');
  });
});

describe('an API', () => {
  it('answers that its upstream is down in the words of the mesh', async () => {
    await register('down', gone);
    await open('#/apis/down/console');
    await page.getByRole('button', { name: 'Send' }).click();

    await page.getByText('refused by the mesh: connect_failed').waitFor();
  });

  it('gets another header in the place of the one it has', async () => {
    await register('replace');
    upstream.key = 'sk-next-0123456789abcdefghijkl';
    await open('#/apis/replace/settings');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByLabel('API key', { exact: true }).fill(upstream.key);
    await page.getByRole('button', { name: 'Test the new one' }).click();
    await page.getByText('It works').waitFor();
    await page.getByRole('button', { name: 'Store and use it' }).click();
    await page.getByText('The new credential is encrypted and in use').waitFor();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('It works').waitFor();

    expect(await traces()).not.toContain(upstream.key);
  });

  it('shows a token once, and stops a stream of it when it is revoked', async () => {
    const api = await register('streams');
    await open('#/apis/streams/tokens');
    await page.getByRole('button', { name: 'New token' }).first().click();
    await page.getByLabel('App', { exact: true }).fill('website');
    await page.getByRole('button', { name: 'Make token' }).click();
    const token = (await page.getByLabel('token', { exact: true }).textContent()) ?? '';
    expect(token).toMatch(/^zat_/);
    await page.getByRole('button', { name: 'I have it' }).click();
    expect(await traces()).not.toContain(token);

    const answer = await fetch(`${mesh.gateway}${api}/forward/v1/endless`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const ended = answer.text().catch(() => 'cut');
    await page.getByRole('button', { name: 'Revoke website' }).click();
    await page.getByRole('button', { name: 'Revoke token' }).click();
    await page.getByText('No app can call this API yet').waitFor();

    expect(await ended).toBe('cut');
    expect(upstream.streaming()).toBe(0);
  });

  it('is removed only after a question', async () => {
    const api = await register('doomed');
    await open('#/apis/doomed/settings');
    await page.getByRole('button', { name: 'Remove doomed' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await mesh.call('GET', api)).status).toBe(200);

    await page.getByRole('button', { name: 'Remove doomed' }).click();
    await page.getByRole('button', { name: 'Remove for good' }).click();
    await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
    expect((await mesh.call('GET', api)).status).toBe(404);
  });
});

describe('the keyboard', () => {
  it('is enough to sign in, look at an API and send a request', async () => {
    await go('');
    await page.getByLabel('Machine key', { exact: true }).waitFor();
    await page.keyboard.type(mesh.machine.api_key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
    await tabTo('sample');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'sample' }).waitFor();
    await tabTo('Console');
    await page.keyboard.press('Enter');
    await tabTo('Send');
    await page.keyboard.press('Enter');

    await page.getByText('data: {"n":10}').waitFor();
  });

  /** Tabs forward until what has the focus is called so. */
  async function tabTo(name: string): Promise<void> {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => document.activeElement?.textContent?.trim());
      if (text === name) return;
    }
    throw new Error(`${name} cannot be reached with the Tab key`);
  }
});

describe('the clock', () => {
  it('verifies signatures and links in the browser, without a session', async () => {
    await go('#/clock');

    await page.getByText('signature and link').nth(2).waitFor();
    expect(await page.getByText('Broken chain').count()).toBe(0);
  });
});

describe('operators', () => {
  it('show equations only to who is signed in, and compute with a proof that holds', async () => {
    await go('#/operators/KO42');
    await page.getByText('Sign in to see its equation').waitFor();
    await open('#/operators/KO42');
    await page.getByRole('button', { name: 'Compute' }).click();
    await page.getByRole('button', { name: 'Check the proof' }).click();

    await page.getByText('The proof holds').waitFor();
  });
});

describe('the rotation', () => {
  it('is shown to an operator, whose key is not kept', async () => {
    await go('#/rotation');
    await page.getByLabel('Operator key', { exact: true }).fill(mesh.x_admin_key);
    await page.getByRole('button', { name: 'Show progress' }).click();
    await page.getByText('Current key id').waitFor();

    expect(await traces()).not.toContain(mesh.x_admin_key);
    await page.reload();
    await page.getByLabel('Operator key', { exact: true }).waitFor();
  });
});

describe('every view', () => {
  const VIEWS = [
    '#/apis',
    '#/add',
    '#/apis/sample',
    '#/apis/sample/console',
    '#/apis/sample/tokens',
    '#/apis/sample/settings',
    '#/keys',
    '#/operators/KO42',
    '#/clock',
    '#/rotation',
    '#/nowhere',
  ];

  it.each(['light', 'dark'] as const)(
    'has nothing in %s that axe objects to, wide and on a phone, and never scrolls sideways',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await go('');
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      const found = await faults('the door');
      await signIn();
      for (const hash of VIEWS) {
        await go(hash);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForTimeout(hash === '#/clock' ? 2_000 : 400);
        found.push(...(await faults(hash)));
      }

      expect(found).toEqual([]);
    },
  );

  async function faults(where: string): Promise<string[]> {
    const all: string[] = [];
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 780 });
      // as the debugger evaluates it: the page's own policy lets no such script in
      await page.evaluate(axe.source);
      const found = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: typeof axe }).axe.run();
        const wide = document.documentElement.scrollWidth > innerWidth ? ['scrolls sideways'] : [];
        return [
          ...wide,
          ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
        ];
      });
      all.push(...found.map((fault) => `${where} at ${width}: ${fault}`));
    }
    return all;
  }
});
