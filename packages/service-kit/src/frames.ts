/** How a stream frames a message: server-sent events over HTTP/1.1 chunks or over HTTP/1.0, or a WebSocket. */
export type FrameKind = 'sse_chunked' | 'sse_plain' | 'websocket';

/** One message in the bytes of every kind of stream. */
export type Frames = Readonly<Record<FrameKind, Buffer>>;

/** @param id For `Last-Event-ID`; the Zeqond of a tick, the number of a message. */
export function toFrames(message: object, id: number): Frames {
  const json = JSON.stringify(message);
  const event = Buffer.from(`id: ${id}\ndata: ${json}\n\n`);
  return { sse_plain: event, sse_chunked: chunk(event), websocket: textFrame(Buffer.from(json)) };
}

/** One chunk of a chunked body (RFC 9112, section 7.1). */
export const chunk = (body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);

/** An unmasked, unfragmented text frame, as a server sends it (RFC 6455, section 5.2). */
export function textFrame(payload: Uint8Array): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
        : Buffer.concat([Buffer.from([0x81, 127, 0, 0, 0, 0]), uint32(payload.length)]);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
