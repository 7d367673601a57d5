import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface Resolver {
  /** address:port, as ZEQ_DNS_SERVERS takes it. */
  address: string;
  stop: () => void;
}

const RESPONSE = 0x80;
const NXDOMAIN = 3;

/** A name server that knows no name at all (RFC 1035, section 4.1.1: the question sent back with RCODE 3). */
export async function openDenyingResolver(): Promise<Resolver> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const answer = Buffer.from(query);
    answer[2]! |= RESPONSE;
    answer[3] = (answer[3]! & 0xf0) | NXDOMAIN;
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => socket.close() };
}
