import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A fresh browser profile, and a record of everything that must not happen in it. */
export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Errors of scripts and of the console, refused by the content security policy included. */
  errors: string[];
  /** Every address that was asked for. */
  requests: string[];
  /** All that was written to the console. */
  console: string[];
  close: () => Promise<void>;
}

/** Opens Debian's Chromium with a profile of its own; CHROMIUM names another one. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Visit> {
  const profile = await mkdtemp(join(tmpdir(), 'zeq-page-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ARGS,
    viewport: { width: 1280, height: 860 },
    ...options,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const visit: Visit = {
    context,
    page,
    errors: [],
    requests: [],
    console: [],
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
  context.on('page', (next) => watch(next, visit));
  watch(page, visit);
  return visit;
}

/** An error answer of the mesh is written to the console by the browser itself; it is no error of the page. */
const FAILED_REQUEST = /^Failed to load resource: the server responded with a status of (4|5)\d\d/;

function watch(page: Page, { errors, requests, console }: Visit): void {
  page.on('pageerror', (err) => errors.push(String(err)));
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => {
    console.push(message.text());
    if (message.type() === 'error' && !FAILED_REQUEST.test(message.text())) errors.push(message.text());
  });
}
