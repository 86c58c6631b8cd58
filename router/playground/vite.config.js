// Everything the page needs goes into `dist`, which the router embeds and serves under /playground/.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  base: '/playground/',
  plugins: [react()],
  worker: { format: 'es' },
  build: {
    chunkSizeWarningLimit: 8192,
    rolldownOptions: {
      // React compiler directives mean nothing after bundling; everything else is worth reading.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
  server: { proxy: { '/graphql': 'http://127.0.0.1:4000' } },
})
