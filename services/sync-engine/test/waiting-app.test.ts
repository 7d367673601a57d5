import { buildLogger } from '@zeq/service-kit';
import request from 'supertest';
import { waitingApp } from '../src/waiting-app.ts';

describe('an engine whose database is not there yet', () => {
  const app = waitingApp(buildLogger('sync-engine', 'silent'));

  it('is alive and not ready, at both of its addresses', async () => {
    for (const at of ['', '/sync']) {
      const health = await request(app).get(`${at}/health`).expect(200);
      const ready = await request(app).get(`${at}/ready`).expect(503);

      expect(health.body.status).toBe('ok');
      expect(ready.body).toEqual({ status: 'not_ready', service: 'sync-engine', missing: ['database'] });
    }
  });

  it('answers 503 with Retry-After to everything else', async () => {
    const res = await request(app).get('/sync/ticks').expect(503);

    expect(res.body.code).toBe('database_unavailable');
    expect(res.headers['retry-after']).toBe('1');
  });
});
