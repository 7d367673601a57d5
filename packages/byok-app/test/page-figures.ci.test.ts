import { readFile } from 'node:fs/promises';
import type { UsageFigures } from '@zeq/contracts';
import { answerWith } from './kit/made-up.ts';
import { pageRig } from './kit/rig.ts';
import { STREAM_TOKENS } from './kit/upstream.ts';

const rig = pageRig();

/** Calls as an app would make them, one after the other. @returns Their statuses. */
async function callAll(api: string, token: string, paths: readonly string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const path of paths) {
    const answer = await fetch(`${rig.mesh.gateway}${api}/forward${path}`, {
      method: path.endsWith('completions') ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

async function mint(api: string, name: string): Promise<string> {
  const answer = await rig.mesh.call('POST', `${api}/tokens`, { name });
  return ((await answer.json()) as { token: string }).token;
}

const METHOD_NOT_ALLOWED = 405;
const times = (count: number, path: string): string[] => Array.from({ length: count }, () => path);

describe('usage and activity', () => {
  it('show what was called, and what the upstream has counted', async () => {
    const api = await rig.register('counted');
    const token = await mint(api, 'website');
    const before = rig.upstream.served.length;
    const called = [
      ...times(12, '/v1/models'),
      ...times(3, '/v1/nothing'),
      ...times(2, '/v1/chat/completions'),
    ];
    const statuses = await callAll(api, token, called);
    const served = rig.upstream.served.length - before;
    await rig.open('#/apis/counted/usage');
    const { page } = rig;

    await page.getByText(`${statuses.length} reached the upstream`).waitFor();
    expect(served).toBe(called.length);
    await page.getByText(`3 of ${called.length}`).waitFor();
    const tokens = 2 * (STREAM_TOKENS.prompt_tokens + STREAM_TOKENS.completion_tokens);
    expect(await page.locator('.totals').textContent()).toContain(`Model tokens${tokens}`);

    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByText(`${called.length} calls, all that are kept`).waitFor();
    const rows = page.locator('.activity tbody tr');
    const shown = await rows.locator('.activity-status').allTextContents();
    expect(shown.map(Number)).toEqual(statuses.toReversed());
    expect(new Set(await rows.locator('.activity-caller').allTextContents())).toEqual(new Set(['website']));
    expect(await rows.locator('.activity-no').allTextContents()).toEqual(
      statuses.toReversed().map((status) => (status === 404 ? 'the upstream' : '')),
    );

    await rig.go('#/apis');
    await page.getByRole('link', { name: 'counted' }).waitFor();
    // the list renews itself every 15 s
    await page.getByText(`${called.length} calls · 3 failed`).waitFor({ timeout: 30_000 });
  });

  it('are saved as CSV with the same numbers', async () => {
    const api = await rig.register('saved');
    const token = await mint(api, 'batch');
    await callAll(api, token, times(7, '/v1/models'));
    await rig.open('#/apis/saved/usage');
    await rig.page.getByText('7 reached the upstream').waitFor();

    const usage = await saved('Download usage as CSV');
    await rig.page.getByRole('link', { name: 'Activity' }).click();
    await rig.page.getByText('7 calls').waitFor();
    const activity = await saved('Download activity as CSV');

    expect(sumOf(usage, 'requests')).toBe(7);
    expect(activity.trim().split(/\r?\n/)).toHaveLength(8);
    expect(activity).toContain('/v1/models');
  });

  async function saved(button: string): Promise<string> {
    const [download] = await Promise.all([
      rig.page.waitForEvent('download'),
      rig.page.getByRole('button', { name: button }).click(),
    ]);
    return await readFile(await download.path(), 'utf8');
  }

  function sumOf(csv: string, column: keyof UsageFigures): number {
    const [head = '', ...lines] = csv.trim().split(/\r?\n/);
    const index = head.split(',').indexOf(column);
    expect(index).not.toBe(-1);
    return lines.reduce((sum, line) => sum + Number(line.split(',')[index]), 0);
  }
});

describe('activity', () => {
  it('shows a call that is made while somebody looks, and says who refused it', async () => {
    const api = await rig.register('live');
    const token = await mint(api, 'follower');
    await rig.open('#/apis/live/activity');
    await rig.page.getByText('Nobody has called yet').waitFor();
    await callAll(api, token, ['/v1/models']);
    await rig.page.getByRole('button', { name: 'GET /v1/models' }).waitFor();

    await rig.mesh.call('PATCH', api, { policy: { allowed_methods: ['POST'] } });
    let status: number | undefined;
    // a change reaches the forwarder within a second, not at once; until then it is the upstream that says no
    while (status !== METHOD_NOT_ALLOWED)
      [status] = await callAll(api, token, ['/v1/models?key=never-shown']);
    await rig.page.getByText('the mesh: method_not_allowed').first().waitFor();

    expect(await rig.page.content()).not.toContain('never-shown');
  });

  it('finds calls by status and path, and tells all that is known of one', async () => {
    const api = await rig.register('searched');
    const token = await mint(api, 'searcher');
    await callAll(api, token, ['/v1/models', '/v1/nothing', '/v1/models']);
    await rig.open('#/apis/searched/activity');
    const { page } = rig;
    await page.getByText('3 calls').waitFor();
    await page.getByLabel('Status').selectOption('4xx');
    await page.getByText('1 call, all').waitFor();
    await page.getByLabel('Status').selectOption('');
    await page.getByLabel('Path').fill('/models');
    await page.getByText('2 calls').waitFor();
    await page.getByRole('button', { name: 'GET /v1/models' }).first().click();

    const dialog = page.getByRole('dialog', { name: 'GET /v1/models' });
    expect(await dialog.textContent()).toContain('searcher');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('GET /v1/models');
  });
});

describe('a plot', () => {
  it('tells every exact number to the keyboard, and to a table', async () => {
    await answerWith(rig.visit.context, { apis: [], calls: 0 });
    await rig.open('#/apis/sample/usage/24h');
    const slider = rig.page.getByLabel('Requests, moment');
    await slider.focus();
    const last = await slider.getAttribute('aria-valuetext');
    await rig.page.keyboard.press('ArrowLeft');
    const before = await slider.getAttribute('aria-valuetext');
    await rig.page.getByText('Numbers as a table').click();
    const cells = await rig.page.getByRole('row').nth(2).getByRole('cell').allTextContents();

    expect(before).not.toBe(last);
    expect(before).toContain(`2xx ${cells[2]}`);
  });
});

describe('a list of ten thousand', () => {
  const ALL = 10_000;
  const drawn = () => rig.page.locator('tr[data-index], li[data-index]').count();

  it('calls: draws what is on the screen, and loads the older ones on the way down', async () => {
    await answerWith(rig.visit.context, { apis: [], calls: ALL });
    await rig.open('#/apis/sample/activity');
    await rig.page.getByText('100 calls').waitFor();
    const last = rig.page.locator(`tr[aria-rowindex="${ALL + 1}"]`);
    while (!(await last.isVisible())) await rig.page.keyboard.press('End');

    expect(await drawn()).toBeLessThan(100);
    expect(await rig.page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(ALL + 1));
    expect(await rig.page.getByText('10,000 calls, all that are kept').count()).toBe(1);
  });

  it('APIs: draws what is on the screen, and searches them all', async () => {
    const [sample] = (await (await rig.mesh.call('GET', '/api/zeq/apis/demo')).json()) as [{ id: string }];
    const apis = Array.from({ length: ALL }, (_, i) => ({ ...sample, id: `api_${i}`, name: `api-${i}` }));
    await rig.visit.context.route('**/api/zeq/apis/demo', (route) => route.fulfill({ json: apis }));
    await rig.open('#/apis');
    await rig.page.getByRole('link', { name: 'api-0', exact: true }).waitFor();

    expect(await drawn()).toBeLessThan(100);
    await rig.page.getByLabel('Search APIs').fill('api-9999');
    await rig.page.getByRole('link', { name: 'api-9999' }).waitFor();
    await rig.page.getByText(`1 of ${ALL} APIs`).waitFor({ state: 'attached' });
  });

  it('tokens: the Tab key leads on to rows that were not drawn', async () => {
    const tokens = Array.from({ length: ALL }, (_, i) => ({
      id: `tok_${i}`,
      name: `app-${i}`,
      prefix: 'zat_0000',
      created_at: '2026-01-02T03:04:05.000Z',
      expires_at: null,
      allowed_methods: null,
      allowed_path_prefixes: null,
      rate_limit_per_min: null,
    }));
    await rig.visit.context.route('**/tokens', (route) => route.fulfill({ json: { tokens } }));
    await rig.open('#/apis/sample/tokens');
    await rig.page.getByRole('button', { name: 'Revoke app-0', exact: true }).focus();
    const before = await drawn();
    for (let i = 0; i < 60; i++) await rig.page.keyboard.press('Tab');

    expect(before).toBeLessThan(60);
    expect(await rig.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Revoke app-60',
    );
  });
});
