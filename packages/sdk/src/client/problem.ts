import { ZeqError } from './zeq-error.ts';

/** Who said it: an error answer of the mesh itself carries this header, an upstream's never does. */
export const ERROR_HEADER = 'x-zeq-error';

const KNOWN = ['type', 'title', 'status', 'code', 'detail', 'request_id'];

/**
 * The error in an answer that is not a success. Its body is read.
 *
 * @returns A ZeqError even where the body is no problem document: something else than a mesh answered.
 */
export async function errorOf(response: Response): Promise<ZeqError> {
  const { status } = response;
  const retryAfterSeconds = retryAfterOf(response.headers);
  const problem = await readProblem(response);
  if (problem === undefined) {
    const detail = 'The answer is not one of a Zeq mesh; is the address right?';
    const requestId = response.headers.get('x-request-id') ?? undefined;
    return new ZeqError({ status, code: 'answer_invalid', detail, requestId, retryAfterSeconds });
  }
  const members = Object.fromEntries(Object.entries(problem).filter(([name]) => !KNOWN.includes(name)));
  return new ZeqError({
    status,
    code: String(problem.code),
    detail: String(problem.detail ?? problem.title),
    requestId: typeof problem.request_id === 'string' ? problem.request_id : undefined,
    retryAfterSeconds,
    members,
  });
}

/** The mesh's own refusal of a forwarded call; undefined where the upstream answered, whatever its status. */
export const meshErrorOf = async (response: Response): Promise<ZeqError | undefined> =>
  response.headers.has(ERROR_HEADER) ? errorOf(response) : undefined;

async function readProblem(response: Response): Promise<Record<string, unknown> | undefined> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) && typeof body.code === 'string' ? body : undefined;
  } catch (err) {
    if (err instanceof SyntaxError) return undefined;
    throw err;
  }
}

/** Seconds, from either form of the header (RFC 9110, section 10.2.3). */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const seconds = Math.ceil((Date.parse(text) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
