// Loaded into a service by profile.ts: SIGUSR2 starts the CPU profiler, a second one stops it and writes the profile.
// Environment: PROFILE_DIR, where to.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

const INTERVAL_US = 250;
const session = new Session();
let running = false;

process.on('SIGUSR2', () => {
  if (running) return stop();
  running = true;
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  session.post('Profiler.start');
});

function stop(): void {
  session.post('Profiler.stop', (err, result) => {
    if (err) throw err;
    writeFileSync(
      join(process.env.PROFILE_DIR!, `${process.pid}.cpuprofile`),
      JSON.stringify(result.profile),
    );
  });
}
