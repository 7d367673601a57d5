import type { Route } from 'playwright-core';
import { pageRig } from './kit/rig.ts';

/** A request that is broken on purpose is written to the console by the browser itself. */
const rig = pageRig({ expectedErrors: /net::ERR_/ });

const problem =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  (route: Route) =>
    route.fulfill({
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
      body: JSON.stringify({ type: '', title: '', status, code, detail: `said ${code}`, request_id: 'r-1' }),
    });

describe('offline', () => {
  it('says so, keeps what was written, and goes on when the network is back', async () => {
    await rig.register('offline');
    await rig.open('#/apis/offline/settings');
    const { page } = rig;
    await page.getByLabel('Calls per minute').fill('77');
    await rig.visit.context.setOffline(true);
    await page.getByText('You are offline.').first().waitFor();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('alert').getByText('You are offline.').waitFor();
    expect(await page.getByLabel('Calls per minute').inputValue()).toBe('77');

    await rig.visit.context.setOffline(false);
    await page.getByText('what you have written is kept').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('77 calls a minute').waitFor();
  });

  it('keeps a key that nobody has answered to', async () => {
    await rig.go('');
    await rig.page.getByRole('button', { name: 'Sign in' }).waitFor();
    await rig.visit.context.setOffline(true);
    await rig.signIn();
    await rig.page.getByRole('alert').waitFor();

    const field = rig.page.getByLabel('Machine key', { exact: true });
    expect(await field.inputValue()).toBe(rig.mesh.machine.api_key);
    await rig.visit.context.setOffline(false);
    await rig.page.getByRole('button', { name: 'Sign in' }).click();
    await rig.page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  });
});

describe('a mesh that is away', () => {
  it('is asked again by itself, and a view that had nothing to show fills then', async () => {
    await rig.open('#/clock');
    await rig.visit.context.route(/\/(api\/|health)/, (route) => route.abort());
    await rig.go('#/keys');
    await rig.page.getByText('No answer').waitFor();
    await rig.page.getByText('The mesh does not answer.').first().waitFor();

    await rig.visit.context.unroute(/\/(api\/|health)/);
    await rig.page.getByRole('button', { name: 'Revoke' }).first().waitFor();
    expect(await rig.page.getByText('The mesh does not answer.').count()).toBe(0);
  });
});

describe('a mesh that cannot say who is here', () => {
  it('says so instead of showing nothing, and is asked again by itself', async () => {
    await rig.visit.context.route(
      '**/api/zeq/session',
      problem(503, 'vault_unavailable', { 'retry-after': '1' }),
    );
    await rig.go('');
    await rig.page.getByText('The mesh has a problem').waitFor();

    await rig.visit.context.unroute('**/api/zeq/session');
    await rig.page.getByRole('heading', { name: 'Sign in to your machine' }).waitFor();
  });
});

describe('a limit that was reached', () => {
  it('is counted down, and asked again at its end', async () => {
    await rig.visit.context.route(
      '**/api/zeq/apis/demo',
      problem(429, 'rate_limited', { 'retry-after': '3' }),
      {
        times: 1,
      },
    );
    await rig.go('');
    await rig.signIn();
    await rig.page.getByText('Too many requests').waitFor();
    await rig.page.getByRole('button', { name: /Try again \(\d s\)/ }).waitFor();

    await rig.page.getByRole('link', { name: 'sample' }).waitFor();
    expect(await rig.page.getByText('Too many requests').count()).toBe(0);
  });

  it('leaves a form as it is, and says when to try again', async () => {
    await rig.register('limited');
    await rig.open('#/apis/limited/settings');
    const { page } = rig;
    await rig.visit.context.route(
      '**/api/zeq/apis/demo/api_*',
      (route) =>
        route.request().method() === 'PATCH'
          ? problem(429, 'rate_limited', { 'retry-after': '2' })(route)
          : route.fallback(),
      { times: 1 },
    );
    await page.getByLabel('Calls per minute').fill('55');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText(/You can try again in \d s/).waitFor();
    await page.getByText(/You can try again in \d s/).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Save changes' }).click();

    await page.getByText('55 calls a minute').waitFor();
  });
});

describe('a session', () => {
  const cookie = async () =>
    (await rig.visit.context.cookies(`${rig.mesh.gateway}/api/`)).find(({ name }) => name === 'zeq_session');
  const withCopy = async (method: string, path: string, value: string) =>
    await fetch(`${rig.mesh.gateway}${path}`, {
      method,
      headers: { cookie: `zeq_session=${value}`, 'x-zeq-page': '1', 'sec-fetch-site': 'same-origin' },
    });

  it('that ended elsewhere asks for the key, and loses nothing', async () => {
    await rig.register('expiring');
    await rig.open('#/apis/expiring/settings');
    await rig.page.getByLabel('Calls per minute').fill('99');
    const copy = (await cookie())?.value ?? '';
    expect((await withCopy('DELETE', '/api/zeq/session/cookie', copy)).status).toBe(204);
    await rig.page.getByRole('button', { name: 'Save changes' }).click();
    const dialog = rig.page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.getByLabel('Machine key', { exact: true }).fill(rig.mesh.machine.api_key);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await rig.page.getByRole('button', { name: 'Save changes' }).click();

    await rig.page.getByText('99 calls a minute').waitFor();
  });

  it('is over on the mesh too when somebody signs out', async () => {
    await rig.open('');
    const copy = (await cookie())?.value ?? '';
    expect((await withCopy('GET', '/api/zeq/session', copy)).status).toBe(200);
    await rig.page.getByRole('button', { name: 'Sign out' }).click();
    await rig.page.getByRole('heading', { name: 'Sign in to your machine' }).waitFor();

    expect((await withCopy('GET', '/api/zeq/session', copy)).status).toBe(401);
  });
});

describe('two tabs', () => {
  it('show the same: what one changes, the other sees', async () => {
    await rig.register('shared');
    await rig.open('#/apis/shared/settings');
    const other = await rig.visit.context.newPage();
    await other.goto(`${rig.mesh.page}#/apis/shared`);
    await other.getByText('60 calls a minute').waitFor();
    await rig.page.getByLabel('Calls per minute').fill('61');
    await rig.page.getByRole('button', { name: 'Save changes' }).click();

    await other.getByText('61 calls a minute').waitFor();
  });
});

describe('an error of the mesh', () => {
  it.each([
    ['#/apis', '**/api/zeq/apis/demo', 'sample'],
    ['#/apis/sample', '**/api/zeq/apis/demo/sample', 'calls a minute'],
    ['#/apis/sample/usage', '**/usage?*', 'Requests'],
    ['#/apis/sample/activity', '**/activity?*', 'Nobody has called yet'],
    ['#/apis/sample/record', '**/audit?*', 'Registered'],
    ['#/apis/sample/tokens', '**/tokens', 'No app can call this API yet'],
    ['#/keys', '**/keys', 'everything'],
    ['#/operators', '**/api/zeq/operators?*', 'operators'],
  ])('is told in %s, with a way to try again', async (hash, address, content) => {
    await rig.open('#/clock');
    await rig.visit.context.route(address, problem(503, 'vault_unavailable'));
    await rig.go(hash);
    await rig.page.reload(); // what was known before is gone
    await rig.page.getByText('The mesh has a problem').waitFor();
    await rig.page.getByText('request r-1').waitFor();

    await rig.visit.context.unroute(address);
    await rig.page.getByRole('button', { name: 'Try again' }).click();
    await rig.page.getByText('The mesh has a problem').waitFor({ state: 'detached' });
    await rig.page.getByRole('main').getByText(content).first().waitFor();
  });
});
