/** What frames a request's body: none, so many bytes, or chunks (-1). */
export interface Framed {
  method: string;
  target: string;
  /** Raw pairs without framing and without Host: as Node's strict parser gave them, so no line can hide in a value. */
  headers: readonly string[];
  length: number;
}

/** Methods whose lack of a body is stated (RFC 9110 section 8.6). */
const STATES_LENGTH = new Set(['POST', 'PUT', 'PATCH']);

/** The head of a request, as text of which one character is one byte (Latin-1). */
export function requestHead({ method, target, headers, length }: Framed, host: string): string {
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  if (length < 0) head += 'transfer-encoding: chunked\r\n';
  else if (length > 0 || STATES_LENGTH.has(method)) head += `content-length: ${length}\r\n`;
  return `${head}\r\n`;
}
