// Builds the site into ./site of the repository: node build.js
import { fileURLToPath } from "node:url"
import { build } from "vitepress"
import { gather } from "./gather.js"

// Another folder to write to may be named: node build.js FOLDER
const [outDir] = process.argv.slice(2)
gather()
await build(fileURLToPath(new URL(".", import.meta.url)), outDir ? { outDir } : {})
