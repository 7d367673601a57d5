/** Just enough DER (X.690) to write a certificate. */
export const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
};

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
export const set = (...parts: Uint8Array[]) => der(0x31, ...parts);
export const integer = (bytes: Uint8Array) => der(0x02, bytes);
export const octets = (...parts: Uint8Array[]) => der(0x04, ...parts);
export const bits = (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes);
export const text = (value: string) => der(0x0c, Buffer.from(value, 'utf8'));
export const truth = () => der(0x01, Buffer.from([0xff]));
/** Inside a context-specific tag. */
export const tagged = (number: number, ...parts: Uint8Array[]) => der(0xa0 | number, ...parts);
export const moment = (at: Date) =>
  der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`, 'latin1'));

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}
