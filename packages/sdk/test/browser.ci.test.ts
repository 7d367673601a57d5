import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import type { Tick } from '@zeq/contracts';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { events, fakeMesh, json } from './kit/fake-mesh.ts';
import { hiteChannel } from './kit/hite-channel.ts';
import { serve } from './kit/mesh-server.ts';

jest.setTimeout(120_000);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECRET = randomBytes(32).toString('hex');
const { ticks } = JSON.parse(readFileSync(join(ROOT, 'docs/vectors/clock.json'), 'utf8')) as {
  ticks: { tick: Tick }[];
};

const channel = hiteChannel({ secret: SECRET });
let mesh: { url: string; close: () => Promise<void> };
let profile: string;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'dev/build-sdk.ts')]);
  const library = await readFile(join(ROOT, 'packages/sdk/dist/index.js'), 'utf8');
  const plain = fakeMesh({
    'GET /': () =>
      new Response('<!doctype html><title>sdk</title>', { headers: { 'content-type': 'text/html' } }),
    'GET /sdk.js': () => new Response(library, { headers: { 'content-type': 'text/javascript' } }),
    'GET /api/zeq/session': () => json({ machine: { slug: 'alice' }, scope: 'owner', expires_at: null }),
    'GET /api/zeq/apis/alice': () => json([{ name: 'openai' }]),
    'GET /sync/ticks': () => events(ticks.map(({ tick }) => tick)),
  });
  mesh = await serve((input, init) =>
    String(input).includes('/api/hite/') ? channel.fetch(input, init) : plain.fetch(input, init),
  );
  profile = await mkdtemp(join(tmpdir(), 'zeq-sdk-browser-'));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  page = context.pages()[0] ?? (await context.newPage());
  await page.goto(mesh.url);
});
afterAll(async () => {
  await context?.close();
  await mesh?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

/** Runs a script in the page, with the library imported. */
const inPage = (script: string): Promise<unknown> =>
  page.evaluate(
    `(async () => { const { createClient } = await import(location.origin + '/sdk.js'); ${script} })()`,
  );

describe('the library in a browser', () => {
  it('calls the mesh', async () => {
    expect(
      await inPage(
        `return (await createClient({ url: location.origin, key: 'zsm_x' }).apis.list()).map((api) => api.name)`,
      ),
    ).toEqual(['openai']);
  });

  it('verifies ticks', async () => {
    const faults = await inPage(`
      const faults = [];
      for await (const one of createClient({ url: location.origin }).clock.ticks({ reconnect: false })) faults.push(one.fault ?? 'holds');
      return faults;`);

    expect(faults).toEqual(ticks.map(() => 'holds'));
  });

  it('speaks inside the HITE channel', async () => {
    const said = await inPage(`
      const mesh = createClient({ url: location.origin, key: 'zsm_x', slug: 'alice', hite: { secret: '${SECRET}' } });
      const response = await mesh.call('openai', '/v1/x', { method: 'PUT', body: 'hello' });
      return [response.status, await response.text()];`);

    expect(said).toEqual([201, 'one two']);
    expect(channel.seen[0]!.request.headers).toEqual({ authorization: 'Bearer zsm_x' });
  });
});
