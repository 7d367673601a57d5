import { jest } from '@jest/globals';
import { type Firefox, openFirefox } from './kit/firefox.ts';
import { type RunningMesh, startMesh } from './kit/mesh.ts';

jest.setTimeout(120_000);

describe('in Firefox', () => {
  let mesh: RunningMesh;
  let firefox: Firefox;
  beforeAll(async () => {
    mesh = await startMesh([]);
    firefox = await openFirefox();
  });
  afterAll(async () => {
    await firefox?.close();
    await mesh?.stop();
  });

  const shows = (text: string) => firefox.until(`document.body.innerText.includes(${JSON.stringify(text)})`);

  it('the page signs in, sends a streamed request, shows usage and verifies ticks, without an error', async () => {
    await firefox.goTo(mesh.page);
    await firefox.until(`document.activeElement.getAttribute('placeholder') === 'zsm_…'`);
    await firefox.type(`${mesh.machine.api_key}\n`);
    await firefox.until(`[...document.querySelectorAll('a')].some((link) => link.textContent === 'sample')`);
    await firefox.goTo(`${mesh.page}#/apis/sample/console`);
    await firefox.until(`(() => {
      const send = document.querySelector('form [type=submit]');
      send?.click();
      return send !== null;
    })()`);
    await shows('data: {"n":10}');
    await firefox.goTo(`${mesh.page}#/apis/sample/usage`);
    await shows('reached the upstream');
    await firefox.goTo(`${mesh.page}#/clock`);
    await shows('signature and link');

    expect(firefox.errors).toEqual([]);
  });
});
