import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProblemError } from '@zeq/service-kit';
import type { Request, RequestHandler, Response } from 'express';
import type { LocalRoutes } from '../control/control-plane.ts';

/** Where `vite build` puts the page. It is read as files: no service imports the page. */
const DIST = fileURLToPath(new URL('../../../../packages/byok-app/dist', import.meta.url));

/** Nothing from elsewhere, nothing inline, no frame around it; scripts cannot turn text into markup either. */
const CSP = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Their names hold a hash of their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

interface PageFile {
  type: string;
  etag: string;
  /** By content coding; `identity` is always there. */
  bodies: { identity: Buffer; br?: Buffer; gzip?: Buffer };
}

/** `/apps/zeq-byok/`: the page as it was built, from memory. Without a build the gateway still starts, and the page says 503. */
export function pageRoutes(folder = DIST): LocalRoutes {
  const index = existsSync(join(folder, 'index.html')) ? readFile(folder, 'index.html') : undefined;
  const assets = readAssets(join(folder, 'assets'));
  const page: RequestHandler = function showPage(req, res) {
    if (index === undefined)
      throw new ProblemError('feature_disabled', 'The page is not built: run npm start, or vite build.');
    send(req, res, index, 'no-cache');
  };
  const asset: RequestHandler = function sendAsset(req, res) {
    const file = assets.get(String(req.params.asset));
    if (file === undefined) throw new ProblemError('not_found', 'There is no such file.');
    send(req, res, file, FOR_EVER);
  };
  const toPage: RequestHandler = (_req, res) => res.redirect(308, '/apps/zeq-byok/');
  return {
    'GET /apps/zeq-byok': toPage,
    'GET /apps/zeq-byok/': page,
    'GET /apps/zeq-byok/assets/:asset': asset,
  };
}

function readAssets(folder: string): Map<string, PageFile> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return new Map(
    names.filter((name) => extname(name) in TYPES).map((name) => [name, readFile(folder, name)]),
  );
}

/** A file, with the compressed forms that the build put beside it. */
function readFile(folder: string, name: string): PageFile {
  const read = (suffix: string) => {
    const path = join(folder, name + suffix);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  const identity = readFileSync(join(folder, name));
  const [br, gzip] = [read('.br'), read('.gz')];
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`,
    bodies: { identity, ...(br && { br }), ...(gzip && { gzip }) },
  };
}

function send(req: Request, res: Response, { type, etag, bodies }: PageFile, cacheControl: string): void {
  res.set({ 'Cache-Control': cacheControl, 'Content-Security-Policy': CSP, Vary: 'Accept-Encoding' });
  res.set({ ETag: etag, 'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()' });
  if (req.headers['if-none-match'] === etag) return void res.status(304).end();
  const coding = (['br', 'gzip'] as const).find(
    (name) => bodies[name] !== undefined && accepts(req.headers['accept-encoding'], name),
  );
  if (coding !== undefined) res.set('Content-Encoding', coding);
  const body = bodies[coding ?? 'identity']!;
  res.set({ 'Content-Type': type, 'Content-Length': String(body.length) }).end(body);
}

/** A coding that is named and not refused with a weight of zero (RFC 9110 section 12.5.3). */
function accepts(header: string | string[] | undefined, coding: string): boolean {
  return String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim().split(/ *; */))
    .some(([name, weight]) => name === coding && !/^q=0(?:\.0*)?$/.test(weight ?? ''));
}
