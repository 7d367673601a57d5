import { defineConfig } from 'vite';

/** The page as static files; `dev/build-page.ts` runs it and puts compressed forms beside them. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/apps/zeq-byok/',
  build: {
    target: 'es2023',
    assetsInlineLimit: 0, // the policy of the page allows no data: address
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // The page uses the types of contracts and the plain tables beside them; schemas, and what validates, stay out.
      treeshake: { moduleSideEffects: (id) => !/packages\/(contracts|crypto)\//.test(id) },
    },
  },
  // `vite` by hand while working on the page: the API is the running mesh's
  server: {
    proxy: { '/api': process.env.GATEWAY_URL ?? 'http://127.0.0.1:4000', '/sync': 'http://127.0.0.1:4000' },
  },
});
