import axe from 'axe-core';
import { pageRig } from './kit/rig.ts';

const rig = pageRig();

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
      await rig.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await rig.go('');
      await rig.page.getByRole('button', { name: 'Sign in' }).waitFor();
      const found = await faults('the door');
      await rig.signIn();
      for (const hash of VIEWS) {
        await rig.go(hash);
        await rig.page.getByRole('heading', { level: 1 }).waitFor();
        await rig.page.waitForTimeout(hash === '#/clock' ? 2_000 : 400);
        found.push(...(await faults(hash)));
      }

      expect(found).toEqual([]);
    },
  );

  async function faults(where: string): Promise<string[]> {
    const all: string[] = [];
    for (const width of [1280, 360]) {
      await rig.page.setViewportSize({ width, height: 780 });
      // as the debugger evaluates it: the page's own policy lets no such script in
      await rig.page.evaluate(axe.source);
      const found = await rig.page.evaluate(async () => {
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
