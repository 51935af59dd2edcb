import { defineConfig } from "vite"

// Two sites: the pages of the shop and the back office, and the attacker's, which
// stands on an origin of its own. `vite build` makes the first, `--mode evil` the other.
export default defineConfig(({ mode }) => {
  const name = mode === "evil" ? "evil" : "pages"
  return {
    root: `src/${name}`,
    build: {
      outDir: `../../dist/${name}`,
      emptyOutDir: true,
      target: "es2023",
      assetsInlineLimit: 0, // the policy knows no data: fonts
      modulePreload: { polyfill: false },
      rollupOptions: {
        external: ["/bff/client.js"], // Coatcheck serves it
      },
    },
  }
})
