import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The chat page: built into dist/assets, which the edge Worker serves as static assets. No second server. */
export default defineConfig({
  root: "src/web",
  plugins: [react(), withoutPreloads()],
  build: {
    // What is loaded late brings its styles within its code.
    cssCodeSplit: false,
    outDir: "../../dist/assets",
    emptyOutDir: false,
    assetsDir: "web",
    target: "es2023",
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    rolldownOptions: {
      output: {
        // What is behind the sign-in is one file, with what later ones share with it: a file more would be asked for behind it.
        codeSplitting: {
          groups: [
            { name: "index", tags: ["$initial"], priority: 2 },
            { name: "signed-in", test: /src\/web\/signed-in\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
});

/**
 * Vite puts 1 KB of code around each `import()`, which fetches the styles of what is imported and what that imports. Here styles come within
 * the code (`addStyles` in src/web/late-code.ts), and what is loaded late is one file.
 */
function withoutPreloads(): Plugin {
  return {
    name: "without-preloads",
    enforce: "pre",
    load: (id) =>
      id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : null,
  };
}
