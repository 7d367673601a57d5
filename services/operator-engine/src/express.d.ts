import type { Caller } from '@zeq/contracts';

declare global {
  namespace Express {
    interface Locals {
      /** Who is calling, once the door has asked. */
      caller?: Caller;
    }
  }
}
