// Loaded first into every process that the launcher starts: if the launcher itself is killed, the process stops in order
// instead of holding its port for ever.
process.channel?.unref();
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
