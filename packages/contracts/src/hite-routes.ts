import { z } from 'zod';
import {
  HITE_CONTENT_TYPE,
  HITE_SESSION_HEADER,
  HiteHandshakeAnswer,
  HiteHandshakeRequest,
  HiteSessionId,
} from './hite.ts';
import type { RouteSpec } from './routes.ts';

const hite = { method: 'POST', service: 'gateway', audience: 'public', tag: 'hite' } as const;

/** Who may speak is said inside the channel: a frame only opens under the secret, and the request in it shows its own credential. */
export const HITE_ROUTES: readonly RouteSpec[] = [
  {
    ...hite,
    path: '/api/hite/handshake',
    summary: 'Begin a session of one hour; both sides derive its keys from the shared secret',
    body: HiteHandshakeRequest,
    success: { status: 200, body: HiteHandshakeAnswer },
  },
  {
    ...hite,
    path: '/api/hite/channel',
    summary: 'One request, sealed as one frame; its answer comes back as frames',
    bodyType: HITE_CONTENT_TYPE,
    headers: z.object({ [HITE_SESSION_HEADER]: HiteSessionId }),
    success: { status: 200, type: HITE_CONTENT_TYPE },
  },
];
