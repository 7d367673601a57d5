// Certificates from a certificate authority that checks its challenges (Pebble).
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { startLoad } from './load.ts';
import { deploy, docker, HOST, newMachine, setting } from './mesh.ts';

const PEBBLE = 'https://pebble.test:14000/dir';
/** By itself certbot waits up to eight minutes, so that not all the world renews at the same time. */
const NO_PAUSE = '--no-random-sleep-on-renew';

interface Served {
  fingerprint: string;
  issuer: string;
  names: string;
}

async function served(): Promise<Served> {
  const socket = connect({ host: '127.0.0.1', port: 443, servername: HOST, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256, issuer, subjectaltname = '' } = socket.getPeerCertificate();
  socket.destroy();
  return { fingerprint: fingerprint256, issuer: String(issuer.CN), names: subjectaltname };
}

/** Waits until nginx shows another certificate than this one. */
async function replaced({ fingerprint }: Served): Promise<Served> {
  for (let i = 0; i < 60; i++) {
    const now = await served();
    if (now.fingerprint !== fingerprint) return now;
    await sleep(500);
  }
  throw new Error('nginx still shows the same certificate');
}

describe('certificates', () => {
  it('init-tls gets the first one, and nginx takes it without a restart', async () => {
    const before = await served();

    const { code, output } = await deploy('init-tls', '--server', PEBBLE);

    expect([code, output]).toEqual([0, expect.stringContaining(`the certificate of ${HOST} is in use`)]);
    const now = await replaced(before);
    expect(now.issuer).toMatch(/^Pebble/);
    expect(now.names).toBe(`DNS:${HOST}`);
    const status = await deploy('status');
    expect([status.code, status.output]).toEqual([
      0,
      expect.stringMatching(/^ok\s+certificate\s+8\d days left/m),
    ]);
  });

  it('init-tls keeps a certificate that is not due', async () => {
    const before = await served();

    expect((await deploy('init-tls', '--server', PEBBLE)).code).toBe(0);

    expect(await served()).toEqual(before);
  });

  it('renew-certs replaces it under load without losing a request', async () => {
    const [before, machine] = [await served(), await newMachine()];
    const load = startLoad(machine, 50);

    const { code } = await deploy('renew-certs', '--force-renewal', NO_PAUSE);
    const now = await replaced(before);
    const { sent, failed } = await load.stop();

    expect(code).toBe(0);
    expect(now.issuer).toMatch(/^Pebble/);
    expect(sent).toBeGreaterThan(100);
    expect(failed).toEqual([]);
  });

  it('the renewal line of the security guide, which mounts nothing but the certificates, renews as well', async () => {
    const before = await served();
    const ca = setting('ZEQ_CERTBOT_OPTIONS').split(' ');
    const volume = `${setting('ZEQ_CERTIFICATES_VOLUME')}:/etc/letsencrypt`;
    const line = [
      'run',
      '--rm',
      '-v',
      volume,
      '--network',
      'zeq_outside',
      ...ca,
      'certbot/certbot:v4.2.0',
      'renew',
    ];

    const { code, output } = await docker(...line, '--quiet', '--force-renewal', NO_PAUSE);

    expect([code, output]).toEqual([0, '']);
    expect((await replaced(before)).issuer).toMatch(/^Pebble/);
  });
});
