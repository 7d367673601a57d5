import { type Logger, type RedisLink, safeError } from '@zeq/service-kit';

/**
 * Which run of Redis this is. A Redis that comes back from its disk, or a replica that takes over, may have forgotten the newest
 * counters, and a frame could be sent once more. Sessions therefore stand under the run in which they began, and end with it.
 */
export class RedisEpoch {
  readonly #redis: RedisLink;
  readonly #log: Logger;
  #run: string | undefined;

  constructor(redis: RedisLink, log: Logger) {
    this.#redis = redis;
    this.#log = log;
    redis.client.on('close', () => {
      this.#run = undefined;
    });
    redis.client.on('ready', () => void this.#ask());
    if (redis.isUp) void this.#ask();
  }

  /** Undefined while Redis is away. */
  get run(): string | undefined {
    return this.#run;
  }

  /** An answer always belongs to the connection that is open now: those of a lost one fail. */
  async #ask(): Promise<void> {
    try {
      this.#run = /^run_id:([0-9a-f]{40})\r?$/m.exec(await this.#redis.client.info('server'))?.[1];
      if (this.#run === undefined) this.#log.error('Redis does not say which run it is; HITE stays away');
    } catch (err) {
      this.#log.debug({ err: safeError(err) }, 'Redis went away before it said which run it is');
    }
  }
}
