import { jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openBrowser, type Visit } from './browser.ts';
import { type RunningMesh, startMesh } from './mesh.ts';
import { openUpstream, type Upstream } from './upstream.ts';

/** Looked for wherever it must not be. */
export const CANARY = 'sk-canary-7Hq2Lw9Xv4Rt0Yp6Nm3Bc8Df5Gj1';

/** A running mesh with a provider behind it for a file of tests, and a fresh browser for each of them. */
export interface Rig {
  mesh: RunningMesh;
  upstream: Upstream;
  /** Where nobody listens any more. */
  gone: string;
  visit: Visit;
  page: Page;
  go: (hash: string) => Promise<unknown>;
  signIn: (key?: string) => Promise<void>;
  /** Signs in and goes there. */
  open: (hash: string) => Promise<void>;
  /** An API of the stand-in provider, as its owner would register it by hand. @returns Its path. */
  register: (name: string, host?: string) => Promise<string>;
  /** Everything in which a browser could keep something of a secret. */
  traces: () => Promise<string>;
}

const TEST_MS = 120_000;
const WAIT_MS = 15_000;

interface RigOptions {
  env?: NodeJS.ProcessEnv;
  /** Errors of the browser's console that belong to what is tested. */
  expectedErrors?: RegExp;
}

export function pageRig({ env = {}, expectedErrors = /^$/ }: RigOptions = {}): Rig {
  jest.setTimeout(TEST_MS);
  const rig = {} as Rig;
  beforeAll(async () => {
    const [closed, upstream] = await Promise.all([openUpstream(CANARY), openUpstream(CANARY)]);
    await closed.close();
    const mesh = await startMesh([upstream.host, closed.host], env);
    Object.assign(rig, { mesh, upstream, gone: closed.host, ...stepsOf(rig) });
  });
  afterAll(async () => {
    await rig.mesh?.stop();
    await rig.upstream?.close();
  });
  beforeEach(async () => {
    rig.upstream.key = CANARY;
    rig.visit = await openBrowser();
    rig.page = rig.visit.page;
    rig.page.setDefaultTimeout(WAIT_MS);
  });
  afterEach(async () => {
    const { context, errors, requests, close } = rig.visit;
    await context.unrouteAll({ behavior: 'ignoreErrors' }); // one may be on its way
    await close();
    // holds for every test
    expect(errors.filter((error) => !expectedErrors.test(error))).toEqual([]);
    expect(requests.filter((url) => isElsewhere(url, rig.mesh.gateway))).toEqual([]);
  });
  return rig;
}

/** What is saved as a file lies in the page's own memory. */
const isElsewhere = (url: string, origin: string): boolean => new URL(url).origin !== origin;

function stepsOf(rig: Rig): Pick<Rig, 'go' | 'signIn' | 'open' | 'register' | 'traces'> {
  const go = (hash: string) => rig.page.goto(`${rig.mesh.page}${hash}`);
  const signIn = async (key = rig.mesh.machine.api_key) => {
    await rig.page.getByLabel('Machine key', { exact: true }).fill(key);
    await rig.page.getByRole('button', { name: 'Sign in' }).click();
  };
  const open = async (hash: string) => {
    await go('');
    await signIn();
    await rig.page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
    await go(hash);
    await rig.page.getByRole('heading', { level: 1 }).waitFor();
  };
  const register = async (name: string, host = rig.upstream.host) => {
    const answer = await rig.mesh.call('POST', `/api/zeq/apis/${rig.mesh.machine.slug}`, {
      name,
      provider: 'openai',
      base_url: `http://${host}`,
      api_key: CANARY,
    });
    expect(answer.status).toBe(201);
    return `/api/zeq/apis/${rig.mesh.machine.slug}/${name}`;
  };
  return { go, signIn, open, register, traces: () => tracesIn(rig) };
}

async function tracesIn({ page, visit }: Rig): Promise<string> {
  return JSON.stringify([
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
}
