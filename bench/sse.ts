import { connect } from 'node:net';
import { chatRequest } from './messages.ts';
import type { Target } from './wrk.ts';

const EVENTS = 50;
const EVERY_MS = 10;
const BODY = chatRequest({ stream: true, max_tokens: EVENTS, seed: EVERY_MS });

/** What was seen of event streams, in microseconds. */
export interface StreamTimes {
  /** From the request to the first byte of the first event. */
  firstEventUs: number[];
  /** From the moment the upstream wrote an event to its arrival. */
  eventDelayUs: number[];
}

/** Reads `count` streams one after the other over one connection. @throws Error when an event is missing. */
export function readStreams(target: Target, count: number): Promise<StreamTimes> {
  return new Promise((resolve, reject) => {
    const times: StreamTimes = { firstEventUs: [], eventDelayUs: [] };
    const socket = connect(target.port, '127.0.0.1').setNoDelay(true);
    let reader = new StreamReader(times);
    const ask = () => {
      reader = new StreamReader(times);
      socket.write(requestText(target));
    };
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const problem = reader.read(chunk.toString('latin1'));
      if (problem !== undefined) return void socket.destroy(new Error(problem));
      if (!reader.ended) return;
      if (--count > 0) return void setTimeout(ask, 5);
      socket.destroy();
      resolve(times);
    });
  });
}

function requestText(target: Target): string {
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `Content-Length: ${Buffer.byteLength(BODY)}\r\n`;
  return `POST ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n${headers.join('')}${length}\r\n${BODY}`;
}

/** One answer. It looks for the events in the bytes as they come, so that no parser stands between arrival and clock. */
class StreamReader {
  ended = false;
  readonly #times: StreamTimes;
  readonly #start = nowUs();
  #seen = 0;
  #rest = '';

  constructor(times: StreamTimes) {
    this.#times = times;
  }

  /** @returns What is wrong with the answer, if anything is. */
  read(text: string): string | undefined {
    const arrived = nowUs();
    if (this.#seen === 0 && this.#rest === '' && !text.startsWith('HTTP/1.1 200')) return text.slice(0, 300);
    const all = this.#rest + text;
    let read = 0;
    for (const match of all.matchAll(/"t":"(\d+)"/g)) {
      if (this.#seen++ === 0) this.#times.firstEventUs.push(arrived - this.#start);
      else this.#times.eventDelayUs.push(arrived - Number(match[1]) / 1000);
      read = match.index + match[0].length;
    }
    this.#rest = all.slice(read).slice(-1000);
    this.ended = all.includes('[DONE]') && all.endsWith('0\r\n\r\n');
    return this.ended && this.#seen !== EVENTS ? `${this.#seen} events of ${EVENTS}` : undefined;
  }
}

const nowUs = () => Number(process.hrtime.bigint()) / 1000;
