/**
 * How Node is started for every service, here and in the Dockerfile (a test compares the two).
 * - No signal opens a debugger, which would show everything in memory.
 * - By itself V8 derives the room for young objects from the memory of the machine: twice 64 MiB on a large one, and twice 1 MiB in
 *   a container of 384 MiB, where it collects so often that a call costs a third more. `node bench/young-space.ts`
 */
export const NODE_FLAGS: readonly string[] = ['--disable-sigusr1', '--max-semi-space-size=16'];
