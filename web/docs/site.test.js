import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFileSync, readdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, posix, relative } from "node:path"
import { after, before, test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { root } from "./gather.js"
import { sections } from "./sections.js"

const here = fileURLToPath(new URL(".", import.meta.url))
const site = process.env.SITE ?? mkdtempSync(join(tmpdir(), "coatcheck-docs-")) // SITE: one that is built already
const pages = new Map() // path in the site: its HTML

const isFile = (file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false

before(async () => {
  if (!process.env.SITE) await promisify(execFile)(process.execPath, ["build.js", site], { cwd: here, maxBuffer: 1 << 26 })
  for (const file of readdirSync(site, { recursive: true })) {
    if (file.endsWith(".html")) pages.set(relative(site, join(site, file)), readFileSync(join(site, file), "utf8"))
  }
})
after(() => process.env.SITE || rmSync(site, { recursive: true, force: true }))

test("every page of docs stands in the sidebar, once", () => {
  const listed = Object.values(sections).flat()
  assert.equal(new Set(listed).size, listed.length)
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md") && name !== "README.md").map((name) => name.slice(0, -3))
  assert.deepEqual(docs.filter((name) => !listed.includes(name)), [])
  assert.deepEqual(listed.filter((name) => !pages.has(name + ".html")), [])
})

test("every link leads to a page, a file or an anchor of the site", () => {
  const broken = []
  let links = 0
  for (const [path, html] of pages) {
    for (const [, address] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(address)) continue
      const [to, anchor] = address.replaceAll("&amp;", "&").split("#")
      const whole = to === "" ? path : posix.normalize(to.startsWith("/") ? to.slice(1) : posix.join(dirname(path), to))
      const target = [whole, whole + ".html", posix.join(whole, "index.html")].find((name) => pages.has(name) || isFile(join(site, name)))
      links++
      if (!target) broken.push(`${path}: ${address}`)
      else if (anchor && pages.has(target) && !pages.get(target).includes(`id="${decodeURIComponent(anchor)}"`)) broken.push(`${path}: ${address}: no such anchor`)
    }
  }
  assert.ok(links > 2000, `${links} links`)
  assert.deepEqual([...new Set(broken)], [])
})

test("a page shows what its source says, and nothing of it runs", () => {
  assert.match(pages.get("webhooks.html"), /<code[^>]*>(?:\{|&#123;|&#x7b;){2}<\/code>/)
  const text = pages.get("start-vue.html").replace(/<[^>]+>/g, "")
  assert.ok(text.includes("{{ session.user.name }}"), "the example's template is not shown as it is")
  assert.ok(!pages.get("start-react-vite.html").includes("test:file"), "a mark of the tests is shown")
  assert.match(pages.get("overview.html"), /<img[^>]*src="\/demo-light\.png#light"/)
})

test("search finds the errors, the keys and the APIs", () => {
  const index = readdirSync(join(site, "assets", "chunks")).filter((name) => name.startsWith("@localSearchIndex"))
  assert.equal(index.length, 1)
  const words = readFileSync(join(site, "assets", "chunks", index[0]), "utf8")
  for (const word of ["upstream_unreachable", "trusted_proxies", "near_cache", "pocketbase"]) assert.ok(words.includes(word), word)
})

test("nothing is fetched from elsewhere", () => {
  for (const [path, html] of pages) {
    for (const [, tag, address] of html.matchAll(/<(script|link|img)[^>]*\s(?:href|src)="([^"]*)"/g)) {
      assert.ok(!/^(?:[a-z]+:)?\/\//.test(address), `${path}: <${tag}> ${address}`)
    }
  }
})
