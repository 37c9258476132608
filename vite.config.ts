import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The chat page: built into dist/assets, which the edge Worker serves as static assets. No second server. */
export default defineConfig({
  root: "src/web",
  plugins: [react()],
  build: {
    outDir: "../../dist/assets",
    emptyOutDir: false,
    assetsDir: "web",
    target: "es2023",
    modulePreload: { polyfill: false },
  },
});
