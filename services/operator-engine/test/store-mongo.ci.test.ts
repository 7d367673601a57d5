import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { openMongo } from '../src/store/mongo.ts';
import { storeContract } from './kit/store-contract.ts';

/** A server that speaks MongoDB's protocol. */
const SERVER = process.env.TEST_MONGO_URL;

it('has a server to run against: set TEST_MONGO_URL', () => {
  expect(SERVER).toMatch(/^mongodb:\/\//);
});

storeContract('MongoDB', async () => {
  const url = new URL(SERVER ?? 'mongodb://TEST_MONGO_URL-is-not-set/');
  url.pathname = `/test_${randomBytes(6).toString('hex')}`;
  return {
    stores: openMongo(url.href),
    remove: async () => {
      const client = new MongoClient(url.href);
      await client.db().dropDatabase();
      await client.close();
    },
  };
});

describe('a MongoDB that is away', () => {
  it('is a 503 for whoever needs it, in seconds', async () => {
    const stores = openMongo('mongodb://127.0.0.1:1/zeq');

    await expect(stores.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(stores.operators.list('mch_aaaaaaaaaaaaaaaaaaaaaa')).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    await stores.close();
  }, 10_000);
});
