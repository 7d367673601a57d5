import { faultsIn } from './kit/faults.ts';
import { answerWith } from './kit/made-up.ts';
import { pageRig } from './kit/rig.ts';

const rig = pageRig();

const VIEWS = [
  '#/apis',
  '#/add',
  '#/apis/sample',
  '#/apis/sample/console',
  '#/apis/sample/usage/24h',
  '#/apis/sample/activity',
  '#/apis/sample/record',
  '#/apis/sample/tokens',
  '#/apis/sample/settings',
  '#/keys',
  '#/operators/KO42',
  '#/clock',
  '#/rotation',
  '#/nowhere',
];

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  beforeEach(async () => {
    await rig.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await answerWith(rig.visit.context, { apis: [], calls: 300 });
  });

  it('no view has anything that axe objects to, wide or on a phone, and none scrolls sideways', async () => {
    await rig.go('');
    await rig.page.getByRole('button', { name: 'Sign in' }).waitFor();
    const found = await faultsIn(rig.page, 'the door');
    await rig.signIn();
    for (const hash of VIEWS) {
      await rig.go(hash);
      await rig.page.getByRole('heading', { level: 1 }).waitFor();
      await rig.page.waitForTimeout(hash === '#/clock' ? 2_000 : 400);
      found.push(...(await faultsIn(rig.page, hash)));
    }

    expect(found).toEqual([]);
  });

  it('no dialog has either', async () => {
    await rig.register(`dialogs-${colorScheme}`);
    await rig.open(`#/apis/dialogs-${colorScheme}/tokens`);
    const { page } = rig;
    const found: string[] = [];
    const look = async (name: string) => {
      await page.getByRole('dialog').waitFor();
      found.push(...(await faultsIn(page, name)));
    };
    await page.getByRole('button', { name: 'New token' }).first().click();
    await look('a new token');
    await page.getByRole('button', { name: 'Make token' }).click();
    await page.getByRole('button', { name: 'I have it' }).waitFor();
    found.push(...(await faultsIn(page, 'a token that is shown once')));
    await page
      .getByRole('button', { name: /^Revoke/ })
      .first()
      .click();
    await look('revoking');
    await page.keyboard.press('Escape');
    await rig.go(`#/apis/dialogs-${colorScheme}/activity`);
    await page.getByRole('button', { name: /v1/ }).first().click();
    await look('one call');
    await page.keyboard.press('Escape');
    await rig.go(`#/apis/dialogs-${colorScheme}/usage/24h`);
    await page.getByText('Numbers as a table').click();
    found.push(...(await faultsIn(page, 'numbers as a table')));
    await rig.go('#/keys');
    await page.getByRole('button', { name: 'New key' }).click();
    await look('a new key');
    await page.keyboard.press('Escape');
    await rig.visit.context.clearCookies();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('button', { name: 'Make key' }).click();
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    found.push(...(await faultsIn(page, 'the end of a session')));

    expect(found).toEqual([]);
  });
});

describe('on a phone of 360 px', () => {
  it('an API is found through the menu, called, and watched', async () => {
    await rig.page.setViewportSize({ width: 360, height: 740 });
    await rig.open('#/clock');
    const { page } = rig;
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('link', { name: 'APIs' }).click();
    await page.getByRole('link', { name: 'sample' }).click();
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('data: {"n":10}').waitFor();
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('button', { name: /GET/ }).first().click();
    await page.getByRole('dialog').getByText('nobody').waitFor();

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});

describe('what comes later', () => {
  it('moves nothing that was there: the shift of every view stays below a tenth', async () => {
    await rig.open('#/apis');
    const shifted: [string, number][] = [];
    for (const hash of VIEWS) {
      await rig.go(hash);
      await rig.page.reload();
      await rig.page.getByRole('heading', { level: 1 }).waitFor();
      await rig.page.waitForTimeout(800);
      shifted.push([hash, await rig.page.evaluate(shift)]);
    }

    expect(shifted.filter(([, value]) => value > MAX_SHIFT)).toEqual([]);
  });
});

/** What browsers call good (Cumulative Layout Shift, web vitals). */
const MAX_SHIFT = 0.1;

/** The sum of all layout shifts of the page so far; runs in the page. */
function shift(): Promise<number> {
  return new Promise((resolve) => {
    new PerformanceObserver((list) => {
      const entries = list.getEntries() as unknown as { value: number }[];
      resolve(entries.reduce((sum, { value }) => sum + value, 0));
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve(0), 200); // there was none
  });
}
