import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import express, { type Express } from 'express';
import request from 'supertest';
import { pageRoutes } from '../src/routes/page.ts';

const SCRIPT = 'console.info("the page");';

describe('/apps/zeq-byok/', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zeq-page-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html>');
    writeFileSync(join(folder, 'assets/index-abc.js'), SCRIPT);
    writeFileSync(join(folder, 'assets/index-abc.js.br'), brotliCompressSync(SCRIPT));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const serve = (): Express => {
    const app = express().enable('strict routing').disable('etag');
    for (const [name, handler] of Object.entries(pageRoutes(folder))) app.get(name.slice(4), handler);
    return app;
  };

  it('is asked for anew each time, and runs nothing that does not come from here', async () => {
    const reply = await request(serve()).get('/apps/zeq-byok/').expect(200);

    expect(reply.headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
      vary: 'Accept-Encoding',
    });
    const csp = String(reply.headers['content-security-policy']);
    expect(csp).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
    expect(csp).not.toMatch(/unsafe|https?:|\*/);
    await request(serve()).get('/apps/zeq-byok/').set('If-None-Match', reply.headers.etag!).expect(304);
  });

  it('keeps its assets for a year', async () => {
    const reply = await request(serve()).get('/apps/zeq-byok/assets/index-abc.js').expect(200);

    expect(reply.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it.each([
    ['br, gzip', 'br'],
    ['gzip;q=1.0, br;q=0', undefined],
    ['identity', undefined],
  ])('sends the form that "%s" allows', async (accepted, coding) => {
    const reply = await request(serve())
      .get('/apps/zeq-byok/assets/index-abc.js')
      .set('Accept-Encoding', accepted)
      .buffer();

    expect(reply.headers['content-encoding']).toBe(coding);
    expect(reply.text).toBe(SCRIPT); // supertest has decoded it
  });

  it('knows no file beside its own', async () => {
    for (const name of ['index-abc.js.br', '..%2findex.html', 'other.js'])
      expect((await request(serve()).get(`/apps/zeq-byok/assets/${name}`)).status).not.toBe(200);
  });

  it('says that it is not built instead of failing the start', async () => {
    rmSync(folder, { recursive: true });
    const app = serve();
    mkdirSync(folder);

    expect((await request(app).get('/apps/zeq-byok/')).status).not.toBe(200);
  });

  it('sends whoever forgets the last slash on', async () => {
    await request(serve()).get('/apps/zeq-byok').expect(308).expect('Location', '/apps/zeq-byok/');
  });
});
