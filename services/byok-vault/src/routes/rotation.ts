import { actorOf } from '../audit/record-change.ts';
import type { CredentialBox } from '../credentials/credential-box.ts';
import type { MachineDeps } from '../owners/machines.ts';
import type { FieldKeyRotation } from '../rotation/rotate-field-key.ts';
import { rotateSalt } from '../rotation/rotate-salt.ts';
import { findMachine } from './machines.ts';
import { refOf } from './parse-call.ts';
import type { Handlers } from './route-table.ts';

export interface RotationRouteDeps extends MachineDeps {
  box: CredentialBox;
  rotation: FieldKeyRotation;
}

export const rotationHandlers = (deps: RotationRouteDeps): Handlers => ({
  'POST /api/zeq/admin/rotate-field-key': async ({ caller }) => ({
    body: await deps.rotation.begin(actorOf(caller)),
  }),
  'GET /api/zeq/admin/rotate-field-key': async () => ({ body: await deps.rotation.status() }),
  'DELETE /api/zeq/admin/rotate-field-key': async ({ caller }) => ({
    body: await deps.rotation.cancel(actorOf(caller)),
  }),

  'POST /api/zeq/admin/machines/:name/rotate-salt': async (call) => {
    const machine = await findMachine(deps, refOf(call, 'name'));
    return { body: await rotateSalt(deps, machine.id, actorOf(call.caller)) };
  },
});
