// Preloaded into a service (node --import): its wall clock jumps an hour ahead at SIGUSR2, and back at the next one. Only
// JavaScript's own clock does; timers and performance.now() go on, as they do when a machine's clock is set.
const HOUR_MS = 3_600_000;
const RealDate = Date;
let aheadMs = 0;

class JumpingDate extends RealDate {
  constructor(...args: [number | string | Date] | []) {
    if (args.length === 0) super(RealDate.now() + aheadMs);
    else super(...args);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

globalThis.Date = JumpingDate as DateConstructor;
process.on('SIGUSR2', () => {
  aheadMs = aheadMs === 0 ? HOUR_MS : 0;
});
