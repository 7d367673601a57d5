import { withCredentialParameter, withoutOwnParameters } from '../src/request/query.ts';

describe('withoutOwnParameters', () => {
  it.each([
    ['/x', 'key', '/x'],
    ['/x?', 'key', '/x?'],
    ['/x?a=1&&b', undefined, '/x?a=1&&b'],
    ['/x?key', 'key', '/x'],
    ['/x?key=1&key=2&a', 'key', '/x?a'],
    ['/x?Key=1&KEY=2&keys=3', 'key', '/x?keys=3'],
    ['/x?%6Bey=1&k%65y=2', 'key', '/x'],
    ['/x?api-key=1&api_key=2&apikey=3', 'api_key', '/x?apikey=3'],
    ['/x?+key=1&key+=2', 'key', '/x'],
    ['/x?a=key', 'key', '/x?a=key'],
    ['/x?a=zsm_0123456789abcdefghij', undefined, '/x'],
    ['/x?a=zsm_short', undefined, '/x?a=zsm_short'],
    ['/x?q=100%&r=%zz', 'key', '/x?q=100%&r=%zz'],
  ])('%s without %s is %s', (path, name, expected) => {
    expect(withoutOwnParameters(path, name)).toBe(expected);
  });
});

describe('withCredentialParameter', () => {
  it.each([
    ['/x', '/x?key=a%20b%26'],
    ['/x?a=1', '/x?a=1&key=a%20b%26'],
  ])('%s becomes %s', (path, expected) => {
    expect(withCredentialParameter(path, 'key', 'a b&')).toBe(expected);
  });
});
