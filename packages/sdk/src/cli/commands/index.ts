import type { Command } from '../command.ts';
import { apis } from './apis.ts';
import { apisAdd, apisRotate } from './apis-add.ts';
import { apisTest } from './apis-test.ts';
import { audit } from './audit.ts';
import { call } from './call.ts';
import { completionOf } from './completion.ts';
import { daemon } from './daemon.ts';
import { hite } from './hite.ts';
import { login, logout } from './login.ts';
import { machines } from './machines.ts';
import { status } from './status.ts';
import { tesc } from './tesc.ts';
import { ticks } from './ticks.ts';
import { tokens } from './tokens.ts';
import { activity, usage } from './usage.ts';
import { verify } from './verify.ts';

/** Every command, in the order of `zeq --help`. Help, completion and the check of arguments are made from it. */
export const COMMANDS: readonly Command[] = [
  login,
  logout,
  status,
  ...machines,
  ...apis,
  apisAdd,
  apisTest,
  apisRotate,
  ...tokens,
  call,
  usage,
  activity,
  audit,
  ticks,
  ...tesc,
  ...hite,
  ...verify,
  daemon,
  completionOf(() => COMMANDS),
];
