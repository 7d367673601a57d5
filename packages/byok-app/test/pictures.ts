/**
 * Pictures of every view, light and dark, with made-up figures: `node packages/byok-app/test/pictures.ts FOLDER [light|dark|phone]`.
 * It starts a mesh of its own, and needs Chromium (CHROMIUM, or Debian's).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser } from './kit/browser.ts';
import { answerWith } from './kit/made-up.ts';
import { type RunningMesh, startMesh } from './kit/mesh.ts';

const folder = process.argv[2] ?? '/tmp/zeq-pictures';
const only = process.argv[3];
const LOOKS = [
  { name: 'light', colorScheme: 'light', width: 1280 },
  { name: 'dark', colorScheme: 'dark', width: 1280 },
  { name: 'phone', colorScheme: 'light', width: 360 },
] as const;
const VIEWS = {
  apis: '#/apis',
  add: '#/add',
  connect: '#/apis/openai',
  console: '#/apis/sample/console',
  usage: '#/apis/openai/usage/24h',
  activity: '#/apis/openai/activity',
  record: '#/apis/openai/record',
  tokens: '#/apis/openai/tokens',
  settings: '#/apis/openai/settings',
  keys: '#/keys',
  operators: '#/operators/KO42',
  clock: '#/clock',
  rotation: '#/rotation',
};
const APIS = [
  ['openai', 'openai', 600],
  ['claude', 'anthropic', 300],
  ['gemini', 'gemini', 120],
  ['embeddings', 'mistral', 3_000],
  ['router', 'openrouter', 60],
  ['fast', 'groq', 240],
] as const;

await mkdir(folder, { recursive: true });
const mesh = await startMesh([]);
try {
  const apis = await register(mesh);
  for (const look of LOOKS.filter(({ name }) => only === undefined || only === name)) await shoot(look, apis);
} finally {
  await mesh.stop();
}

async function shoot(look: (typeof LOOKS)[number], apis: readonly { id: string }[]): Promise<void> {
  const { page, context, close } = await openBrowser({
    viewport: { width: look.width, height: look.width > 500 ? 860 : 740 },
    colorScheme: look.colorScheme,
  });
  await answerWith(context, { apis, calls: 10_000 });
  await page.goto(mesh.page);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await save(page, `${look.name}-door`);
  await page.getByLabel('Machine key', { exact: true }).fill(mesh.machine.api_key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  for (const [name, hash] of Object.entries(VIEWS)) {
    await page.goto(mesh.page + hash);
    await page.getByRole('heading', { level: 1 }).waitFor();
    if (name === 'console') await page.getByRole('button', { name: 'Send' }).click();
    await sleep(name === 'clock' || name === 'console' ? 2_500 : 700);
    if (name === 'usage') await page.getByLabel('Requests, moment').focus();
    await save(page, `${look.name}-${name}`);
  }
  await close();
}

async function save(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: !name.includes('activity') });
}

async function register({ call, machine }: RunningMesh): Promise<{ id: string }[]> {
  const made: { id: string }[] = [];
  for (const [name, provider, limit] of APIS) {
    const answer = await call('POST', `/api/zeq/apis/${machine.slug}`, {
      name,
      provider,
      api_key: `sk-${name}-5f2b81c09d7e4a63b8f1`,
      rate_limit_per_min: limit,
    });
    if (answer.status !== 201) throw new Error(`${name}: ${await answer.text()}`);
    made.push((await answer.json()) as { id: string });
  }
  for (const name of ['website', 'nightly batch', 'mobile'])
    await call('POST', `/api/zeq/apis/${machine.slug}/openai/tokens`, { name });
  return made;
}
