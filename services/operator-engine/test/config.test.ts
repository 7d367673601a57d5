import { ConfigError } from '@zeq/service-kit';
import { modelOptions, proofSecrets, readConfig } from '../src/config.ts';

const INTERNAL = 'i'.repeat(32);
const env = { ZEQ_INTERNAL_SECRET: INTERNAL, JWT_SECRET: 'j'.repeat(32) };
const model = { ZEQ_MODEL_API: 'openai', ZEQ_MODEL_TOKEN: `zat_${'A'.repeat(43)}`, ZEQ_MODEL: 'gpt' };

describe('the configuration', () => {
  it('needs two secrets and has a default for the rest', () => {
    expect(readConfig(env)).toMatchObject({
      OPERATOR_PORT: 8080,
      ZEQ_BIND: '127.0.0.1',
      RATE_LIMIT_RPM: 100,
    });
  });

  it('names everything that is wrong at once, and no value', () => {
    const read = () =>
      readConfig({
        JWT_SECRET: 'short',
        MONGO_URL: 'http://mongo',
        RATE_LIMIT_RPM: '0',
        ZEQ_MODEL_TOKEN: 'sk-secret',
      });

    for (const name of [
      'ZEQ_INTERNAL_SECRET',
      'JWT_SECRET',
      'MONGO_URL',
      'RATE_LIMIT_RPM',
      'ZEQ_MODEL_TOKEN',
    ])
      expect(read).toThrow(new RegExp(`\\n {2}${name} `));
    expect(read).not.toThrow(/sk-secret|http:\/\/mongo/);
    expect(read).toThrow(ConfigError);
  });

  it('signs proofs with the secret of their own where there is one, and verifies those of the others', () => {
    expect(proofSecrets(readConfig(env))).toEqual([INTERNAL]);
    expect(
      proofSecrets(
        readConfig({
          ...env,
          ZEQ_PROOF_SECRET: 'p'.repeat(32),
          ZEQ_PROOF_SECRET_PREV: 'q'.repeat(32),
          ZEQ_INTERNAL_SECRET_PREV: 'h'.repeat(32),
        }),
      ),
    ).toEqual(['p'.repeat(32), 'q'.repeat(32), INTERNAL, 'h'.repeat(32)]);
  });

  it('asks a model when all of it is set, none when nothing is, and does not start with a part', () => {
    expect(modelOptions(readConfig(env))).toBeUndefined();
    expect(modelOptions(readConfig({ ...env, ...model }))).toEqual({
      gatewayUrl: 'http://127.0.0.1:4000',
      slug: 'platform',
      api: 'openai',
      token: model.ZEQ_MODEL_TOKEN,
      model: 'gpt',
    });
    expect(() => modelOptions(readConfig({ ...env, ...model, ZEQ_MODEL: '' }))).toThrow(/all three or none/);
  });
});
