import { DeltaReader } from '../src/console/event-stream.ts';
import { samplesFor } from '../src/console/sample-requests.ts';
import { addedMs } from '../src/console/send.ts';

describe('DeltaReader', () => {
  it.each([
    ['OpenAI', 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'],
    [
      'Anthropic',
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n',
    ],
    ['Gemini', 'data: {"candidates":[{"content":{"parts":[{"text":"H"},{"text":"i"}]}}]}\r\n\r\n'],
  ])('reads the text of %s', (_style, stream) => {
    expect(new DeltaReader().push(stream)).toBe('Hi');
  });

  it('does not mind where a piece ends', () => {
    const stream =
      'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\ndata: {"choices":[{"delta":{"content":"!"}}]}\n\n';
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = new DeltaReader();

      expect(reader.push(stream.slice(0, cut)) + reader.push(stream.slice(cut))).toBe('Hello!');
    }
  });

  it('passes over what is not JSON', () => {
    expect(new DeltaReader().push('data: {"half\ndata: plain\n: comment\n')).toBe('');
  });
});

describe('samplesFor', () => {
  const sample = (api: Partial<Parameters<typeof samplesFor>[0]>) =>
    samplesFor({ provider: null, test_path: null, schema: null, ...api }).map(
      ({ method, path }) => `${method} ${path}`,
    );

  it('begins with a streamed answer where the provider has one', () => {
    expect(sample({ provider: 'deepseek', test_path: '/models' })).toEqual([
      'POST /chat/completions',
      'GET /models',
    ]);
    expect(sample({ provider: 'anthropic', test_path: '/v1/models' })[0]).toBe('POST /v1/messages');
  });

  it('offers the paths of an OpenAPI description that need no parameter', () => {
    const schema = { paths: { '/a': { get: {} }, '/b/{id}': { get: {} }, '/c': { post: {} } } };

    expect(sample({ schema })).toEqual(['GET /a']);
    expect(sample({ schema: 'prose' })).toEqual(['GET /']);
  });
});

describe('addedMs', () => {
  it('sums what gateway and forwarder added, and leaves the upstream out', () => {
    expect(addedMs('forwarder;dur=0.5, upstream;dur=100, gateway;dur=0.25')).toBe(0.75);
    expect(addedMs(null)).toBeNull();
  });
});
