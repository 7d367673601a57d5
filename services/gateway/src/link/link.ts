import { performance } from 'node:perf_hooks';
import type { Place } from '../config.ts';
import { Connection, isRepeatable, type LinkHandler, type LinkRequest } from './connection.ts';

/** Far less than the service's own 75 s, so that no call is written on a connection that it is just closing (ms). */
const KEEP_ALIVE_MS = 10_000;
const SWEEP_EVERY_MS = 5_000;
/**
 * What must not be sent twice goes over no connection that lay idle for longer than this (ms). A service that stops answers with
 * `Connection: close` for two seconds before it closes what is idle, so a connection in use is never closed under a request.
 */
const FRESH_MS = 1_500;

/**
 * Carries calls to one of our own services over HTTP/1.1, one at a time per connection, the connection used last first. It
 * does what undici's dispatch does, for this one case, at half the cost: head and body leave in one write, and an answer is
 * read without building objects. Towards anybody else's server undici is the better choice.
 */
export class Link {
  readonly #place: Place;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #sweep: NodeJS.Timeout;

  constructor(place: Place) {
    this.#place = place;
    this.#sweep = setInterval(() => this.#closeOld(), SWEEP_EVERY_MS).unref();
  }

  send(request: LinkRequest, handler: LinkHandler): void {
    this.#take(request).start(request, handler);
  }

  /** Ends every connection, with whatever it carries. */
  close(): void {
    clearInterval(this.#sweep);
    for (const connection of this.#all) connection.destroy();
  }

  /** The one used last lies on top; when that is not fresh, none is. */
  #take(request: LinkRequest): Connection {
    const last = this.#idle.at(-1);
    if (last === undefined) return this.#open();
    const isFresh = performance.now() - last.idleSince < FRESH_MS;
    return isFresh || isRepeatable(request) ? this.#idle.pop()! : this.#open();
  }

  #open(): Connection {
    const connection = new Connection(this.#place, {
      idle: (free) => this.#idle.push(free),
      gone: (closed) => this.#forget(closed),
      again: (request, handler) => this.#open().start(request, handler),
    });
    this.#all.add(connection);
    return connection;
  }

  #forget(closed: Connection): void {
    this.#all.delete(closed);
    const at = this.#idle.indexOf(closed);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** The one that lay longest lies at the bottom. */
  #closeOld(): void {
    const now = performance.now();
    for (const connection of [...this.#idle]) {
      if (now - connection.idleSince < KEEP_ALIVE_MS) return;
      connection.destroy();
    }
  }
}
