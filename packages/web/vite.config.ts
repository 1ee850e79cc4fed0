import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { slimProtocol } from './build/slim-protocol.ts';

const server = process.env['HVIDEO_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [slimProtocol(), react()],
  build: {
    target: ['chrome123', 'firefox124', 'safari17.5'],
    assetsDir: 'assets',
    // Small pictures would become data: URLs in the first chunk; nothing here is worth that.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The embedded player is a page of its own.
    rolldownOptions: { input: ['index.html', 'embed.html'] },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': { target: server },
      '/media': { target: server },
      '/oembed': { target: server },
      '/ws': { target: server, ws: true },
    },
  },
});
