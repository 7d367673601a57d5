import { readFile } from 'node:fs/promises';
import type { ActivityPage, AuditGrowth, AuditPage, ChainPage } from '@zeq/contracts';
import { faultsIn } from './kit/faults.ts';
import { CANARY, pageRig } from './kit/rig.ts';

/** A request that is broken on purpose is written to the console by the browser itself. */
const rig = pageRig({ expectedErrors: /net::ERR_/ });

const PATHS = ['/v1/models', '/v1/nothing', '/v1/models'];

/** An API with a token, three calls and a new key. @returns Its name. */
async function used(name: string): Promise<string> {
  const api = await rig.register(name);
  const minted = await rig.mesh.call('POST', `${api}/tokens`, { name: 'website' });
  const { token } = (await minted.json()) as { token: string };
  for (const path of PATHS) {
    const answer = await fetch(`${rig.mesh.gateway}${api}/forward${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
  }
  expect((await rig.mesh.call('PATCH', api, { api_key: CANARY })).status).toBe(200);
  return name;
}

/** Changes what the mesh answers on its way to the page. */
async function forge<T>(address: string | RegExp, alter: (body: T) => unknown): Promise<void> {
  await rig.visit.context.route(address, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as T;
    if (answer.ok()) alter(body);
    await route.fulfill({ response: answer, json: body });
  });
}

const AUDIT = '**/audit?*';
const CHAIN = '**/sync/chain?*';
const STATUS = '**/sync/status';

describe('a call', () => {
  const dialog = () => rig.page.getByRole('dialog');
  const verify = () => dialog().getByRole('button', { name: 'Verify' });

  /** Opens what is known of the call that the upstream answered with 404. */
  async function look(name: string): Promise<void> {
    await rig.open(`#/apis/${name}/activity`);
    await rig.page.getByRole('button', { name: 'GET /v1/nothing' }).click();
    await verify().waitFor();
  }

  it('that was just made is verified as soon as the clock has signed it, without the mouse', async () => {
    await look(await used('proven'));
    await verify().focus();
    await rig.page.keyboard.press('Enter');
    await dialog().getByRole('status').getByText('Verified', { exact: true }).waitFor();

    expect(await dialog().locator('.proof-facts').textContent()).toMatch(
      /^Call2Leaf\d+ of \d+Tick \(Zeqond\)[\d,]+Signed by.+ · [0-9a-f]{8}…$/,
    );
    expect(await verify().evaluate((button) => button === document.activeElement)).toBe(true);
    expect(rig.visit.requests.filter((url) => url.includes('/audit?call=2')).length).toBeGreaterThan(0);
  });

  it.each<[string, string | RegExp, (body: never) => unknown, string]>([
    [
      'the record of it',
      AUDIT,
      ({ entries: [entry] }: AuditPage) =>
        entry?.kind === 'call' && Object.assign(entry.call, { status: 200 }),
      'The record holds something else under this number.',
    ],
    [
      'its batch',
      AUDIT,
      ({ entries: [entry] }: AuditPage) =>
        entry?.kind === 'call' && Object.assign(entry.page, { machine_id: 'mch_other' }),
      'The log does not hold it',
    ],
    [
      'the log',
      AUDIT,
      ({ head }: AuditPage) =>
        Object.assign(head, { root: head.root.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
      'The log does not hold it',
    ],
    [
      'what is shown',
      '**/activity?*',
      ({ entries }: ActivityPage) => {
        for (const entry of entries) Object.assign(entry, { status: 200, said_no: null });
      },
      'Different: status, who said no.',
    ],
    [
      'the tick',
      CHAIN,
      ({ ticks }: ChainPage) => {
        for (const { tesc } of ticks) if (tesc) tesc.sig = '0'.repeat(128);
      },
      'bad signature',
    ],
  ])('is NOT verified when %s was forged', async (what, address, alter, words) => {
    await forge(address, alter as (body: unknown) => unknown);
    await look(await used(`forged-${what.replaceAll(' ', '-')}`));
    await verify().click();
    const alert = dialog().getByRole('alert');
    await alert.waitFor();

    expect(await alert.textContent()).toContain('NOT verified');
    expect(await alert.textContent()).toContain(words);
    expect(await dialog().getByText('Verified', { exact: true }).count()).toBe(0);
  });

  it('is not said to be verified while the clock stands, and is when it goes on', async () => {
    await forge(CHAIN, (page: ChainPage) => Object.assign(page, { ticks: [] }));
    await look(await used('standing'));
    await verify().click();
    await dialog().getByText('Waiting for the clock').waitFor();
    await dialog().getByText('Not yet verified').waitFor();

    await rig.visit.context.unroute(CHAIN);
    await verify().click();
    await dialog().getByText('Verified', { exact: true }).waitFor();
  });

  it('that no clock vouches for is said to be just that; where one does, that is a lie', async () => {
    await forge(AUDIT, ({ head }: AuditPage) => Object.assign(head, { zeqond: null }));
    await look(await used('unvouched'));
    await verify().click();
    await dialog().getByRole('alert').getByText('The clock has signed another log').waitFor();

    await forge(STATUS, (status: { chain: unknown }) => Object.assign(status, { chain: null }));
    await verify().click();
    await dialog().getByText('No clock vouches for it').waitFor();
  });

  it('is followed under the key of the clock that the page has shown', async () => {
    await rig.open('#/clock');
    await rig.page.getByText(/\d+ verified/).waitFor();
    const shown = await rig.page.getByText(/· [0-9a-f]{8}…/).textContent();
    const name = await used('same-clock');
    await rig.go(`#/apis/${name}/activity`);
    await rig.page.getByRole('button', { name: 'GET /v1/nothing' }).click();
    await verify().click();
    await dialog().getByText('Verified', { exact: true }).waitFor();

    expect(await dialog().locator('.proof-facts').textContent()).toContain(shown);
  });
});

describe('the record', () => {
  const verify = () => rig.page.getByRole('button', { name: 'Verify all shown' });
  const told = () => rig.page.getByRole('main').getByRole('status').getByText('Verified', { exact: true });
  const alert = () => rig.page.getByRole('main').getByRole('alert');
  const ENTRIES = 3 + PATHS.length; // registered, a token, a new key

  /** Opens it when all is in it. What concerns the whole machine stands in it, too. */
  async function look(name: string): Promise<void> {
    await rig.open(`#/apis/${name}/record`);
    const rows = rig.page.locator('.record tbody tr');
    await rig.page.getByRole('table').waitFor();
    const isAll = async () =>
      (await rows.filter({ hasText: /GET \/v1|Registered|Token made|Key replaced/ }).count()) === ENTRIES;
    while (!(await isAll())) {
      await rig.page.getByRole('button', { name: 'Look again' }).click();
      await rig.page.waitForTimeout(300);
    }
  }

  /** Asks for the record anew, and has the answer. */
  async function lookAgain(): Promise<void> {
    await Promise.all([
      rig.page.waitForResponse((answer) => answer.url().includes('/audit?')),
      rig.page.getByRole('button', { name: 'Look again' }).click(),
    ]);
    await rig.page.getByRole('main').locator('[aria-busy]').waitFor({ state: 'detached' });
  }

  it('tells what was changed and called, in the order of the log and by whom', async () => {
    await look(await used('told'));
    const cells = (name: string) => rig.page.locator(`.record tbody .record-${name}`).allTextContents();
    const leaves = (await cells('leaf')).map(Number);

    expect(leaves).toEqual(leaves.toSorted((one, two) => one - two));
    const what = await cells('what');
    expect(what).toContainEqual(expect.stringMatching(/^Registered.+with a key$/));
    expect(what).toContainEqual('Key replaced');
    expect(what.filter((words) => words.startsWith('GET '))).toEqual(PATHS.map((path) => `GET ${path}`));
    await rig.page.getByText('first key', { exact: true }).first().waitFor();
    expect(new Set(await cells('by'))).toEqual(new Set(['the platform', 'first key', 'website']));
    expect(await rig.traces()).not.toContain(CANARY);
  });

  it('is verified as a whole, remembered by size and root alone, and followed from there', async () => {
    await look(await used('followed'));
    await verify().click();
    await told().waitFor();
    await rig.page.getByText('This browser remembers how long the log is now').waitFor();
    const kept = await rig.page.evaluate(() => JSON.stringify({ ...localStorage }));
    const rows = await rig.page.locator('.record tbody tr').count();
    expect(await rig.page.locator('.record .badge-ok', { hasText: 'verified' }).count()).toBe(rows);
    expect(JSON.parse(JSON.parse(kept)['zeq-audit-head'])).toEqual({
      size: expect.any(Number),
      root: expect.stringMatching(/^[0-9a-f]{64}$/),
    });

    await rig.mesh.call('PATCH', '/api/zeq/apis/demo/followed', { rate_limit_per_min: 61 });
    await rig.page.waitForTimeout(1_600);
    await rig.page.getByRole('button', { name: 'Look again' }).click();
    await rig.page.getByText('Settings changed').waitFor();
    expect(await told().count()).toBe(0); // of something else than what is shown now
    await verify().click();
    await rig.page.getByText('Nothing was changed or taken out since you verified it last').waitFor();
  });

  it.each<[string, string, (body: never) => unknown, RegExp]>([
    [
      'an entry was altered',
      AUDIT,
      ({ entries }: AuditPage) =>
        entries.map(
          (entry) => entry.kind === 'change' && Object.assign(entry.change.by, { id: 'key_other' }),
        ),
      /\d of \d+ entries do not hold:.*The log does not hold it/,
    ],
    [
      'a call was left out',
      AUDIT,
      (page: AuditPage) =>
        Object.assign(page, {
          entries: page.entries.filter((entry) => entry.kind === 'change' || entry.number !== 2),
        }),
      /1 of \d+ entries does not hold:.*Calls are missing in front of it: 2\./,
    ],
    [
      'the log of now is another one',
      '**/audit/head?*',
      ({ head }: AuditGrowth) => Object.assign(head, { root: '0'.repeat(64) }),
      /The log was rewritten/,
    ],
  ])('is NOT verified when %s', async (what, address, alter, words) => {
    await look(await used(what.replaceAll(' ', '-')));
    await forge(address, alter as (body: unknown) => unknown);
    await lookAgain();
    await verify().click();
    await alert().waitFor();

    expect(await alert().textContent()).toMatch(words);
    expect(await rig.page.evaluate(() => localStorage.getItem('zeq-audit-head'))).toBeNull();
    expect(await rig.page.locator('.record .badge-ok', { hasText: 'verified' }).count()).toBe(0);
  });

  it('that was rewritten since is told, until its owner says that this is right', async () => {
    await look(await used('rewritten'));
    await rig.page.evaluate(() =>
      localStorage.setItem('zeq-audit-head', JSON.stringify({ size: 2, root: '0'.repeat(64) })),
    );
    await verify().click();
    await alert().getByText('The log was rewritten').waitFor();

    await alert().getByRole('button', { name: 'Forget what was remembered' }).click();
    await verify().click();
    await told().waitFor();
  });

  it('is saved with its proofs and the tick that binds them, enough to check it again elsewhere', async () => {
    await look(await used('saved'));
    await verify().click();
    await told().waitFor();
    const [download] = await Promise.all([
      rig.page.waitForEvent('download'),
      rig.page.getByRole('button', { name: 'Download the record as JSON' }).click(),
    ]);
    const saved = JSON.parse(await readFile(await download.path(), 'utf8')) as {
      pages: AuditPage[];
      proof: { head: unknown; growth: unknown[]; tick: { bound: string } };
    };

    expect(download.suggestedFilename()).toBe('saved-record.json');
    expect(saved.pages[0]?.entries.length).toBe(await rig.page.locator('.record tbody tr').count());
    expect(saved.proof.tick.bound).toMatch(/^[0-9a-f]{64}$/);
  });

  it('asks again when the mesh did not answer in the middle of it', async () => {
    await look(await used('away'));
    await rig.visit.context.route('**/audit/head?*', (route) => route.abort());
    await verify().click();
    await alert().getByText('The mesh does not answer.').waitFor();

    await rig.visit.context.unroute('**/audit/head?*');
    await alert().getByRole('button', { name: 'Try again' }).click();
    await told().waitFor();
  });

  it('says so when there is nothing in a time', async () => {
    await forge(AUDIT, (page: AuditPage) => Object.assign(page, { entries: [], next: null }));
    await rig.open('#/apis/sample/record/24h');

    await rig.page.getByText('Nothing in this time').waitFor();
    await rig.page.getByRole('button', { name: 'All', exact: true }).click();
    await rig.page.getByText('Nothing is recorded yet').waitFor();
  });

  it('shows more on request, and verifies all of it', async () => {
    await look(await used('paged'));
    await rig.visit.context.route(AUDIT, (route) =>
      route.continue({ url: route.request().url().replace('limit=100', 'limit=4') }),
    );
    await lookAgain();
    for (let more = true; more; ) {
      await rig.page.waitForTimeout(300);
      more = await rig.page.getByRole('button', { name: 'More' }).isVisible();
      if (more) await rig.page.getByRole('button', { name: 'More' }).click();
    }
    await verify().click();
    await told().waitFor();
    const rows = await rig.page.locator('.record tbody tr').count();

    await rig.page.getByText(`All ${rows} entries shown stand in the log`).waitFor();
    expect(rows).toBeGreaterThan(4);
  });
});

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it('no verdict has anything that axe objects to, wide or on a phone', async () => {
    await rig.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const name = await used(`verdicts-${colorScheme}`);
    await rig.open(`#/apis/${name}/record`);
    const { page } = rig;
    const found: string[] = [];
    const main = page.getByRole('main');
    await page.getByRole('button', { name: 'Verify all shown' }).click();
    await main.getByText('Verified', { exact: true }).waitFor();
    found.push(...(await faultsIn(page, 'a record that is verified')));
    await forge(AUDIT, ({ entries }: AuditPage) =>
      entries.map((entry) => entry.kind === 'call' && Object.assign(entry.call, { status: 200 })),
    );
    const ended = page.getByRole('row').filter({ hasText: 'GET /v1/nothing' }).getByText('200');
    while (!(await ended.isVisible())) {
      await page.getByRole('button', { name: 'Look again' }).click();
      await page.waitForTimeout(300);
    }
    await page.getByRole('button', { name: 'Verify all shown' }).click();
    await main.getByText('NOT verified').first().waitFor();
    found.push(...(await faultsIn(page, 'a record that is not')));
    await rig.go(`#/apis/${name}/activity`);
    await page.getByRole('button', { name: 'GET /v1/nothing' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await dialog.getByRole('alert').waitFor();
    found.push(...(await faultsIn(page, 'a call that is not')));
    await rig.visit.context.unroute(AUDIT);
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await dialog.getByText('Verified', { exact: true }).waitFor();
    found.push(...(await faultsIn(page, 'a call that is verified')));

    expect(found).toEqual([]);
  });
});
