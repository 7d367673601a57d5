import { PassThrough } from 'node:stream';
import { buildLogger, safeError } from '../src/index.ts';

describe('buildLogger', () => {
  it('writes JSON lines that name the service, with secrets redacted down to the third level', () => {
    const lines = new PassThrough();
    const log = buildLogger('test', 'info', lines);

    log.info(
      { token: 'zsm_x', a: { authorization: 'Bearer y' }, b: { c: { 'x-api-key': 'z' } }, n: 1 },
      'hello',
    );

    const line = JSON.parse(String(lines.read()));
    expect(line).toMatchObject({
      service: 'test',
      msg: 'hello',
      n: 1,
      token: '[redacted]',
      a: { authorization: '[redacted]' },
      b: { c: { 'x-api-key': '[redacted]' } },
    });
  });
});

describe('safeError', () => {
  it('takes name, code and stack and leaves every other field behind', () => {
    const err = Object.assign(new Error('bad'), { code: 'E_BAD', body: 'secret' });

    expect(safeError(err)).toEqual({
      name: 'Error',
      code: 'E_BAD',
      stack: expect.stringContaining('Error: bad'),
    });
    expect(safeError('secret')).toEqual({ name: 'string' });
  });
});
