import { defineConfig } from 'vite';

/** What Node 20 and the browsers of 2023 understand; the sources are of today. */
const TARGET = 'es2022';

/**
 * Two builds; `dev/build-sdk.ts` runs them by name.
 *
 * - `client`: the library, one file for Node and browsers, that imports nothing.
 * - `cli`: the command and the daemon as programs for Node 20, with everything they need inside.
 */
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  publicDir: false,
  build: mode === 'cli' ? cli : client,
  ...(mode === 'cli' && { ssr: { noExternal: true, target: 'node' as const } }),
}));

const PROGRAMS = /\/(zeq\.mjs|zeqond-daemon\/src\/main\.ts)$/;
const OURS = /\/(packages|services)\/[a-z-]+\/src\//;

const common = { target: TARGET, minify: false, emptyOutDir: false, reportCompressedSize: false } as const;

const client = {
  ...common,
  outDir: 'dist',
  lib: { entry: 'src/index.ts', formats: ['es' as const], fileName: () => 'index.js' },
  rolldownOptions: { treeshake: { moduleSideEffects: false } },
};

const cli = {
  ...common,
  outDir: 'dist/cli',
  ssr: true,
  rolldownOptions: {
    // A module of ours that nothing is used of stays out, and with it what it imports: some of that is for newer Nodes.
    treeshake: { moduleSideEffects: (id: string) => PROGRAMS.test(id) || !OURS.test(id) },
    input: { zeq: 'bin/zeq.mjs', 'zeqond-daemon': '../../services/zeqond-daemon/src/main.ts' },
    output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' },
  },
};
