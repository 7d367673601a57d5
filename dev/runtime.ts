/**
 * How Node is started for every service, here and in the Dockerfile (a test compares the two). By itself V8 derives the room for
 * young objects from the memory of the machine: twice 64 MiB on a large one, never given back, and twice 1 MiB in a container of
 * 384 MiB, where it collects so often that a call costs a third more. Figures: `node bench/young-space.ts`, docs/benchmarks.md.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16'];
