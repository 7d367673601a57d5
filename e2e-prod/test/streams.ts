import { request } from 'node:http';
import type { Machine } from './mesh.ts';

/** How a stream of server-sent events ended. */
export interface StreamEnd {
  events: number;
  /** `whole`: with its last chunk. `cut`: the connection broke, so that nobody takes it for whole. */
  ending: 'whole' | 'cut';
}

export interface OpenStream {
  /** Resolves with the first event. */
  begun: Promise<void>;
  ended: Promise<StreamEnd>;
}

/** Opens a stream through a registered API, at the operator's own port of the gateway. */
export function openStream(machine: Machine, path: string): OpenStream {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const ended = new Promise<StreamEnd>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: 4000, path: machine.forward(path), agent: false };
    request({ ...options, headers: { Host: 'localhost:4000', ...machine.auth } }, (res) => {
      let events = 0;
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        events += chunk.match(/^data: /gm)?.length ?? 0;
        begin();
      });
      res.on('error', () => resolve({ events, ending: 'cut' }));
      res.on('end', () => resolve({ events, ending: 'whole' }));
    })
      .on('error', reject)
      .end();
  });
  return { begun, ended };
}
