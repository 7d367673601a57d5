import type { Duplex } from 'node:stream';
import { type Logger, ProblemError, type RedisLink, systemTime, type TimeSource } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import { Gauge, type Registry } from 'prom-client';
import type { LocalRoutes } from '../control/control-plane.ts';
import { RateWindow } from '../limits/rate-window.ts';
import { channelRoute } from './channel.ts';
import { FrameMemory } from './frame-memory.ts';
import { handshakeRoute } from './handshake.ts';
import { LocalSessions } from './local-sessions.ts';
import { RedisSessions } from './redis-sessions.ts';
import { WorkQueue } from './work-queue.ts';

export interface HiteDeps {
  /** ZEQ_HITE_SECRET. */
  secret: string;
  /** Where sessions are shared by replicas; without it they live in this process. */
  redis: RedisLink | undefined;
  /** Refused frames of one address, before it is not listened to. */
  refusedPerMinute: number;
  /** Hands a connection to the HTTP server, counted for an address. */
  connect: (socket: Duplex, address: string) => void;
  registry: Registry;
  log: Logger;
  time?: TimeSource;
}

/** The HITE channel: every route of the gateway inside frames of its own (`docs/vectors/hite.md`). */
export function hiteRoutes(deps: HiteDeps): LocalRoutes {
  const { secret, redis, refusedPerMinute, connect, registry, log, time = systemTime } = deps;
  const sessions = redis === undefined ? new LocalSessions(time) : new RedisSessions(redis, secret, log);
  const [queue, memory] = [new WorkQueue(), new FrameMemory()];
  const refusedFrames = new RateWindow(refusedPerMinute, () => time.monotonicMs());
  showFigures(registry, queue, memory);
  return {
    'POST /api/hite/handshake': [refuseInner, ...handshakeRoute({ secret, sessions, queue, time })],
    'POST /api/hite/channel': [
      refuseInner,
      channelRoute({ sessions, memory, refusedFrames, connect, time, log }),
    ],
  };
}

/** A frame within a frame would be a way to go on for ever. */
const refuseInner: RequestHandler = function refuseRequestOfChannel(req, _res, next) {
  if (req.call?.sealed === true)
    throw new ProblemError('bad_request', 'The channel does not run inside itself.');
  next();
};

function showFigures(registry: Registry, queue: WorkQueue, memory: FrameMemory): void {
  new Gauge({
    name: 'zeq_gateway_hite_handshakes_waiting',
    help: 'HITE handshakes that wait for their keys now',
    registers: [registry],
    collect() {
      this.set(queue.size);
    },
  });
  new Gauge({
    name: 'zeq_gateway_hite_frame_bytes',
    help: 'Bytes of HITE frames whose requests have not been answered yet',
    registers: [registry],
    collect() {
      this.set(memory.bytes);
    },
  });
}
