import {
  EMPTY,
  type Form,
  faultsOf,
  parseHeaderLines,
  toRegistration,
  withProvider,
} from '../src/add/registration.ts';

const form = (part: Partial<Form>): Form => ({ ...EMPTY, ...part });

describe('toRegistration', () => {
  it('leaves to the preset what the preset knows', () => {
    expect(toRegistration(form({ secret: ' sk-1 ' }))).toEqual({
      name: 'openai',
      provider: 'openai',
      rate_limit_per_min: 60,
      api_key: 'sk-1',
    });
  });

  it.each([
    ['a header', { place: 'header', placeName: 'X-Key', secret: 'abc' }, { auth_header: 'X-Key: abc' }],
    ['a whole pasted line', { place: 'header', secret: 'X-Token: abc' }, { auth_header: 'X-Token: abc' }],
    [
      'a value with a colon',
      { place: 'header', secret: 'Bearer a:b' },
      { auth_header: 'Authorization: Bearer a:b' },
    ],
    [
      'a parameter',
      { place: 'query', placeName: 'appid', secret: 'abc' },
      { auth: { type: 'query', name: 'appid', value: 'abc' } },
    ],
    [
      'a pair',
      { place: 'basic', username: 'u', secret: 'p' },
      { auth: { type: 'basic', username: 'u', password: 'p' } },
    ],
  ] as const)('sends %s as the API takes it', (_what, part, expected) => {
    const registration = toRegistration(
      form({ provider: 'custom', name: 'x', baseUrl: 'https://x.example', ...part }),
    );

    expect(registration).toEqual({
      name: 'x',
      base_url: 'https://x.example',
      rate_limit_per_min: 60,
      ...expected,
    });
  });

  it('sends no credential to a provider that takes none', () => {
    expect(
      toRegistration(form({ ...withProvider(EMPTY, 'ollama'), secret: 'left over' })),
    ).not.toHaveProperty('api_key');
  });
});

describe('withProvider', () => {
  it('keeps a name that somebody chose, and forgets a secret of another provider', () => {
    expect(withProvider(form({ name: 'mine', secret: 'sk-1' }), 'groq')).toMatchObject({
      name: 'mine',
      secret: '',
    });
    expect(withProvider(EMPTY, 'groq')).toMatchObject({
      name: 'groq',
      baseUrl: 'https://api.groq.com/openai',
    });
  });
});

describe('faultsOf', () => {
  it('finds nothing in a form that is ready', () => {
    expect(faultsOf(form({ secret: 'sk-1' }))).toEqual({});
  });

  it('names every field that is not', () => {
    const wrong = form({
      provider: 'custom',
      name: 'Not Good',
      baseUrl: 'nowhere',
      placeName: '',
      ratePerMinute: '0',
      extraHeaders: 'x',
    });

    expect(Object.keys(faultsOf(wrong)).sort()).toEqual([
      'baseUrl',
      'extraHeaders',
      'name',
      'placeName',
      'ratePerMinute',
      'secret',
    ]);
  });
});

describe('parseHeaderLines', () => {
  it('reads names and values, and says when a line is neither', () => {
    expect(parseHeaderLines('a: 1\n\n B:  x:y ')).toEqual({ a: '1', B: 'x:y' });
    expect(parseHeaderLines('no colon')).toBeUndefined();
  });
});
