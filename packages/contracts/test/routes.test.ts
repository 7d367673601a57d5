import { PROBLEMS, ROUTES } from '../src/index.ts';

describe('the route table', () => {
  it('names each method and path once', () => {
    const names = ROUTES.map(({ method, path }) => `${method} ${path}`);

    expect(names).toEqual([...new Set(names)]);
  });

  it('lets only owners and their apps near an upstream, and only through the forwarder', () => {
    const reaching = ROUTES.filter((route) => route.reachesUpstream);

    expect(reaching.map(({ audience }) => audience).sort()).toEqual(['forward', 'owner', 'owner']);
    expect(reaching.every(({ service }) => service === 'forwarder')).toBe(true);
    expect(
      ROUTES.filter(({ service, reachesUpstream }) => service === 'forwarder' && !reachesUpstream),
    ).toEqual([]);
  });

  it('asks for a slug wherever the audience is bound to one', () => {
    const bound = ROUTES.filter(({ audience }) => ['owner', 'reader', 'forward'].includes(audience));

    expect(bound.filter(({ path }) => !path.includes('/:slug')).map(({ path }) => path)).toEqual([]);
  });
});

describe('the problem codes', () => {
  it('are errors, each with a title', () => {
    for (const { status, title } of Object.values(PROBLEMS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe('');
    }
  });
});
