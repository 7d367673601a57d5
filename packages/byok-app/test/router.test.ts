import { href, parseRoute } from '../src/router.ts';

describe('parseRoute', () => {
  it('is the reverse of href', () => {
    expect(parseRoute(href('apis', 'a b/ü', 'console'))).toEqual(['apis', 'a b/ü', 'console']);
  });

  it('takes no offence at what somebody typed', () => {
    expect(parseRoute('#/apis/%zz')).toEqual(['apis', '%zz']);
    expect(parseRoute('')).toEqual([]);
  });
});
