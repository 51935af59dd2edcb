import { readFileSync } from "node:fs"
import { join } from "node:path"
import { sections } from "../sections.js"
import { source } from "../gather.js"

/** A page's first heading is its name in the sidebar. */
const title = (name) => name === "overview" ? "What Coatcheck is" : /^# (.+)$/m.exec(readFileSync(join(source, name + ".md"), "utf8"))[1].replaceAll("`", "")

/** Anchors as GitHub makes them, which the pages' links are written for. */
export const slug = (text) => text.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-")

/** A page is text: neither HTML nor the templates of Vue are taken from it. */
function plain(md) {
  md.set({ html: false })
  for (const rule of ["text", "code_inline"]) {
    const render = md.renderer.rules[rule]
    md.renderer.rules[rule] = (...args) => render(...args).replaceAll("{{", "&#123;&#123;")
  }
}

/** A key, a code or a metric is one word: near_cache. The browser gets this function as text. */
function words(text) {
  return text.split(/[^\p{L}\p{N}\p{M}_]+/u)
}

export default {
  title: "Coatcheck",
  description: "Keeps an API's tokens out of the browser.",
  srcDir: ".tools",
  outDir: "../../site",
  head: [["link", { rel: "icon", href: "/ticket.svg" }]],
  cleanUrls: false,
  ignoreDeadLinks: "localhostLinks", // pages name the addresses of a demo
  lastUpdated: false,
  metaChunk: true,
  markdown: { anchor: { slugify: slug }, attrs: { disable: true }, config: plain },
  themeConfig: {
    search: { provider: "local", options: { miniSearch: { options: { tokenize: words }, searchOptions: { combineWith: "AND" } } } },
    outline: [2, 3],
    nav: [{ text: "Start", link: "/start-react-vite" }, { text: "Configuration", link: "/configuration" }, { text: "APIs", link: "/apis" }, { text: "Errors", link: "/errors" }, { text: "Changelog", link: "/changelog" }],
    sidebar: Object.entries(sections).map(([text, names]) => ({ text, collapsed: false, items: names.map((name) => ({ text: title(name), link: "/" + name })) })),
  },
}
