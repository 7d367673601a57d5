import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe objects to, and whether the page scrolls sideways, wide and on a phone. @param where For the message. */
export async function faultsIn(page: Page, where: string): Promise<string[]> {
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
