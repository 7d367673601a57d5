import { setTimeout as sleep } from 'node:timers/promises';
import { buildLogger, openRedis, type RedisLink } from '@zeq/service-kit';
import { RateWindow } from '../src/limits/rate-window.ts';
import { shareAddresses } from '../src/limits/share-addresses.ts';

const url = process.env.TEST_REDIS_URL ?? '';
if (url === '') throw new Error('TEST_REDIS_URL is not set');

const LIMIT = 100;
const log = buildLogger('test', 'silent');

interface Replica {
  window: RateWindow;
  link: RedisLink;
  stop: () => Promise<void>;
}

describe('gateways that share their counts of addresses', () => {
  const replicas: Replica[] = [];
  let serial = 0;
  const newAddress = () => `198.51.100.${++serial}-${Date.now()}`;

  beforeAll(async () => {
    for (let i = 0; i < 2; i++) {
      const link = openRedis(url, log);
      const window = new RateWindow(LIMIT);
      for (let tries = 0; tries < 100 && !link.isUp; tries++) await sleep(20);
      const { stop } = shareAddresses(window, link, log);
      replicas.push({ window, link, stop });
    }
  });

  afterAll(async () => {
    for (const { stop, link } of replicas) {
      await stop();
      await link.close();
    }
  });

  /** Hits both replicas in turn, `perStep` every 20 ms. @returns How many were admitted. */
  async function hit(address: string, count: number, perStep: number): Promise<number> {
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      if (replicas[i % 2]!.window.hit(address)) admitted += 1;
      if (i % perStep === perStep - 1) await sleep(20);
    }
    return admitted;
  }

  it('admit the limit once, and not once each, up to what one step lets through', async () => {
    const admitted = await hit(newAddress(), 400, 4);

    expect(admitted).toBeGreaterThanOrEqual(LIMIT);
    expect(admitted).toBeLessThanOrEqual(LIMIT + 40); // 20 a step of 100 ms at the other one, and a busy machine
  });

  it('refuse at one what was used up at the other', async () => {
    const address = newAddress();
    for (let i = 0; i < LIMIT; i++) replicas[0]!.window.hit(address);
    replicas[1]!.window.hit(address);
    for (let i = 0; i < 50 && replicas[1]!.window.left(address) > 0; i++) {
      await sleep(50);
      replicas[1]!.window.hit(address);
    }

    expect(replicas[1]!.window.hit(address)).toBe(false);
    expect(replicas[1]!.window.own(address)).toBeLessThan(LIMIT);
  });

  it('keep addresses apart', async () => {
    const [used, fresh] = [newAddress(), newAddress()];
    for (let i = 0; i < LIMIT + 1; i++) replicas[0]!.window.hit(used);
    await sleep(300);

    expect(replicas[1]!.window.hit(fresh)).toBe(true);
  });

  it('have the whole limit each when nothing is known of the other', async () => {
    const window = new RateWindow(LIMIT);
    const address = newAddress();
    window.hit(address);
    window.setElsewhere(address, LIMIT);
    const withOther = window.hit(address);
    window.forgetElsewhere();

    expect([withOther, window.hit(address)]).toEqual([false, true]);
  });
});
