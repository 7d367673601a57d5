import { NameResolver } from '../src/upstream/resolve.ts';
import type { Zone } from './dns-stub.ts';
import { Rig } from './rig.ts';
import { Upstream } from './upstream.ts';

const NAME = 'moody.example.net';
const circuit_failures = 0;

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeEach(async () => {
  [rig, upstream] = await Promise.all([Rig.start({ allow: NAME, dnsBudgetMs: 300 }), new Upstream().open()]);
  id = rig.register({ base_url: `http://${NAME}:${upstream.port}`, policy: { circuit_failures } });
});

afterEach(() => Promise.all([rig.stop(), upstream.close()]));

const HERE: Zone = { addresses: ['127.0.0.1'], ttl: 0 };

async function outcomeOf(at = rig, api = id): Promise<string> {
  const res = await at.fetch(api, '/x');
  await res.text();
  return `${res.status} ${res.headers.get('x-zeq-error') ?? ''}`.trim();
}

describe('a name whose servers are moody', () => {
  it('with a thousand addresses in one answer is refused after two queries', async () => {
    const addresses = Array.from({ length: 1_000 }, (_, n) => `93.184.${n >> 8}.${n & 255}`);
    const patient = await Rig.start({ allow: NAME, dnsBudgetMs: 20_000 }); // it is the number that is refused, not the time
    patient.dns.always({ addresses });
    const api = patient.register({
      base_url: `http://${NAME}:${upstream.port}`,
      policy: { circuit_failures },
    });

    expect(await outcomeOf(patient, api)).toBe('502 dns_failed');
    expect(patient.dns.queries).toHaveLength(2);
    await patient.stop();
  });

  it('through a long chain of aliases, and through one in a circle, costs two queries', async () => {
    const chain = Array.from({ length: 20 }, (_, n) => `alias-${n}.example.net`);
    rig.dns.answer = (_name, asked) =>
      asked === 1 ? { ...HERE, cname: chain } : { cname: [NAME, chain[0]!, NAME] };

    const [first, second] = [await outcomeOf(), await outcomeOf()];

    expect([first, second]).toEqual(['200', '502 dns_failed']);
    expect(rig.dns.queries).toHaveLength(4);
  });

  it('that flap costs each call two queries and gives each its own outcome', async () => {
    rig.dns.answer = (_name, asked) => (asked % 2 === 1 ? HERE : { rcode: 2 });

    const outcomes = [await outcomeOf(), await outcomeOf(), await outcomeOf(), await outcomeOf()];

    expect(outcomes).toEqual(['200', '502 dns_failed', '200', '502 dns_failed']);
    expect(rig.dns.queries).toHaveLength(8);
  });

  it('that fall silent leave the calls going for as long as the last answer holds', async () => {
    rig.dns.always({ ...HERE, ttl: 60 });
    await outcomeOf();
    rig.dns.always({ silent: true });

    const outcomes = [await outcomeOf(), await outcomeOf()];

    expect(outcomes).toEqual(['200', '200']);
    expect(upstream.seen).toHaveLength(3);
    expect(rig.dns.queries).toHaveLength(2);
  });

  it('that are silent keep nobody waiting who calls by another name', async () => {
    rig.dns.answer = (name) => (name === NAME ? { silent: true } : HERE);
    const other = rig.register({ base_url: `http://127.0.0.1:${upstream.port}` });
    const waiting = Array.from({ length: 50 }, () => outcomeOf());

    const quick = await rig.fetch(other, '/x');

    expect(quick.status).toBe(502); // an address that is not allowed: refused at once, while the others still wait
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['504 dns_timeout']));
    expect(rig.dns.queries).toHaveLength(2);
  });
});

describe('a resolver that is not there', () => {
  it('fails within the budget', async () => {
    const gone = await new Upstream().open();
    await gone.close();
    const resolver = new NameResolver({ servers: [`127.0.0.1:${gone.port}`], budgetMs: 500 });

    const failure = resolver.resolve(NAME, 0);

    await expect(failure).rejects.toMatchObject({ code: expect.stringMatching(/^dns_(?:failed|timeout)$/) });
  });
});
