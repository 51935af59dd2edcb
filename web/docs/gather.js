// Gathers what the site is made of into a folder that VitePress reads: the pages of docs,
// the repository's own pages, and every file that a page links to, as a page with its text.
// Sources stay where they are; links that lead out of docs are made to fit.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, extname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))
export const source = fileURLToPath(new URL(".tools", import.meta.url))

/** Repository paths of Markdown, and the names of their pages. */
const named = { "README.md": "overview.md", "docs/README.md": "contents.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md", "web/client/README.md": "client-package.md" }

const language = { ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".go": "go", ".js": "js", ".ts": "ts", ".toml": "toml", ".conf": "nginx", ".service": "ini" }

/** The page for a path of the repository; undefined where the site has none. */
export function pageOf(path) {
  if (named[path]) return named[path]
  if (/^docs\/[^/]+\.md$/.test(path)) return path.slice("docs/".length)
  const at = join(root, path)
  if (!existsSync(at)) return undefined
  const shown = path.replace(/(^|\/)\./g, "$1") // a name with a dot is no page to every server
  return statSync(at).isDirectory() ? `files/${shown}/index.md` : `files/${shown}.md`
}

/** Gathers everything anew and returns the pages of docs, without their suffix. */
export function gather() {
  rmSync(source, { recursive: true, force: true })
  mkdirSync(join(source, "public"), { recursive: true })
  for (const name of readdirSync(join(root, "docs"))) {
    if (name.endsWith(".png")) cpSync(join(root, "docs", name), join(source, "public", name))
  }
  cpSync(join(root, "web/demo/src/ticket.svg"), join(source, "public/ticket.svg"))
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)
  const waiting = [...docs, ...Object.keys(named)], done = new Set()
  while (waiting.length > 0) {
    const path = waiting.pop()
    if (done.has(path)) continue
    done.add(path)
    const { text, linked } = page(path)
    const file = join(source, pageOf(path))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    waiting.push(...linked)
  }
  cpSync(fileURLToPath(new URL("home.md", import.meta.url)), join(source, "index.md"))
  return docs.map((path) => pageOf(path).replace(/\.md$/, ""))
}

/** One page of the site: its text, and the repository's files that it links to. */
function page(path) {
  const at = join(root, path)
  if (statSync(at).isDirectory()) return folder(path)
  if (extname(path) === ".md") return markdown(path, readFileSync(at, "utf8"))
  const fence = "`".repeat(6)
  return { text: `---\noutline: false\n---\n# ${path}\n\n${fence}${language[extname(path)] ?? "text"}\n${readFileSync(at, "utf8")}\n${fence}\n`, linked: [] }
}

function folder(path) {
  const names = readdirSync(join(root, path)).filter((name) => /\.(yaml|js|ts|md|json)$/.test(name) && !/\.test\.js$|package-lock/.test(name))
  const linked = names.map((name) => `${path}/${name}`)
  const lines = linked.map((file, i) => `- [${names[i]}](/${pageOf(file)})`)
  return { text: `---\noutline: false\n---\n# ${path}\n\n${lines.join("\n")}\n`, linked }
}

/** Markdown with links that fit the site. What stands in code is left alone. */
function markdown(path, text) {
  const linked = []
  const fit = (target) => {
    if (/^[a-z]+:|^#/.test(target)) return target
    const [file, hash] = target.split("#")
    const whole = posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, "")
    if (/^docs\/[^/]+\.png$/.test(whole)) return "/" + posix.basename(whole) + (hash ? "#" + hash : "")
    const to = pageOf(whole)
    if (!to) return target
    linked.push(whole)
    return "/" + to + (hash ? "#" + hash : "")
  }
  let fenced = false
  const lines = pictures(text).split("\n").map((line) => {
    if (/^\s*```/.test(line)) fenced = !fenced
    if (fenced || /^\s*```/.test(line)) return line
    return line.replace(/^<!--.*-->$/, "").replace(/(\]\()([^)\s]+)(\))/g, (_, a, target, b) => a + fit(target) + b)
  })
  return { text: lines.join("\n"), linked }
}

/**
 * A picture in two colours becomes two images, of which the style sheet shows one by what
 * is behind the `#`: no other HTML is taken from a page.
 */
function pictures(text) {
  return text.replace(/<picture>\s*<source [^>]*srcset="([^"]+)">\s*<img src="([^"]+)" alt="([^"]+)">\s*<\/picture>/g,
    (_, dark, light, alt) => `![${alt}](${light}#light) ![${alt}](${dark}#dark)`)
}
