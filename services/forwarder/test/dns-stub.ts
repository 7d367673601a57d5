import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { parseIp } from '@zeq/egress';

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;

export interface Zone {
  addresses?: readonly string[];
  cname?: readonly string[];
  ttl?: number;
  /** NXDOMAIN 3, SERVFAIL 2. */
  rcode?: number;
  silent?: boolean;
}

/** A DNS server over UDP whose answers a test chooses, query by query. */
export class DnsStub {
  /** Asked for every query; undefined is NXDOMAIN. */
  answer: (name: string, asked: number) => Zone | undefined = () => undefined;
  readonly queries: { name: string; type: 'A' | 'AAAA' }[] = [];
  readonly #socket = createSocket('udp4');
  #closed: Promise<void> | undefined;
  readonly #asked = new Map<string, number>();

  async open(): Promise<string> {
    this.#socket.on('message', (query, from) => this.#reply(query, from));
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Every name has these addresses. */
  always(zone: Zone): void {
    this.answer = () => zone;
  }

  /** From now on its port is nobody's. */
  async close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(resolve));
    await this.#closed;
  }

  #reply(query: Buffer, from: RemoteInfo): void {
    const { name, type, end } = readQuestion(query);
    this.queries.push({ name, type: type === TYPE_A ? 'A' : 'AAAA' });
    const key = `${name} ${type}`;
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    const zone = this.answer(name, asked);
    if (zone?.silent) return;
    const records = zone === undefined ? [] : recordsOf(name, type, zone);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (zone === undefined ? 3 : (zone.rcode ?? 0)), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    this.#socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), from.port, from.address);
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    const length = query[at]!;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordsOf(name: string, type: number, { addresses = [], cname = [], ttl = 0 }: Zone): Buffer[] {
  const chain = [name, ...cname];
  const aliases = cname.map((alias, at) => record(chain[at]!, TYPE_CNAME, ttl, nameBytes(alias)));
  const family = type === TYPE_AAAA ? 6 : 4;
  const hosts = addresses.flatMap((address) => {
    const ip = parseIp(address)!;
    if (ip.family !== family) return [];
    const bytes = Buffer.from(ip.bits.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
    return [record(chain.at(-1)!, type, ttl, bytes)];
  });
  return [...aliases, ...hosts];
}

function record(name: string, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), fixed, data]);
}

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
