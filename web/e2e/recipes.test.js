// The recipes of docs/client.md, as they stand there, bundled as a page's author would.
import assert from "node:assert/strict"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { after, before, test } from "node:test"
import { build } from "esbuild"
import { address, atProvider, enter, guests } from "./atprovider.js"
import { browse, people, until, world } from "./house.js"

const here = new URL(".", import.meta.url).pathname
const names = ["buttons", "silent", "stepup", "axios", "ky", "tanstack", "events", "websocket", "upload", "download"]

/** Writes the pages: an empty one, the recipes as window.recipes, and the worker. */
async function pages() {
  const text = await readFile(join(here, "../../docs/client.md"), "utf8")
  const found = Object.fromEntries([...text.matchAll(/<!-- test:recipe (\w+) -->\n```js\n(.*?)\n```/gs)].map((m) => [m[1], m[2]]))
  assert.deepEqual(Object.keys(found).sort(), [...names, "worker"].sort())
  const source = await mkdtemp(join(here, "node_modules/recipes-")) // where the packages are found
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-recipes-"))
  for (const name of names) await writeFile(join(source, `${name}.js`), found[name])
  await writeFile(join(source, "bff.js"), `import { createBff } from "coatcheck-client"\nexport const bff = createBff()`)
  await writeFile(join(source, "main.js"), `import { bff } from "./bff.js"
${names.map((n) => `import * as ${n} from "./${n}.js"`).join("\n")}
window.bff = bff
window.recipes = { ${names.join(", ")} }`)
  await build({ entryPoints: [join(source, "main.js")], bundle: true, format: "esm", outfile: join(dir, "main.js"),
    alias: { "coatcheck-client": join(here, "../client/client.js") }, logLevel: "warning" })
  await writeFile(join(dir, "index.html"), `<!doctype html><html lang="en"><title>recipes</title><script type="module" src="/main.js"></script></html>`)
  await writeFile(join(dir, "worker.js"), found.worker)
  await rm(source, { recursive: true })
  return dir
}

let dir, house, elsewhere, browser
before(async () => {
  dir = await pages();
  [house, elsewhere, browser] = await Promise.all([world({ spa: dir }), atProvider({ spa: dir }), browse()])
})
after(async () => {
  await browser?.close()
  await Promise.all([house?.stop(), elsewhere?.stop()])
  if (dir) await rm(dir, { recursive: true })
})

/** A page with the recipes, in a browser of its own, Ada signed in; `told` is what it heard of the session's end. */
async function open(t) {
  const context = await browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(house.shop)
  await page.evaluate(async (ada) => {
    await bff.ready
    await bff.login(ada)
    window.told = []
    bff.on("logout", (reason) => told.push(reason))
  }, people.ada)
  return page
}

/** Ends the session from elsewhere: a page beside this one that says nothing to its fellows. */
async function signOutElsewhere(page) {
  await page.evaluate(() => fetch("/bff/logout", { method: "POST", headers: { "X-CSRF": "1" } }))
}

const told = (page) => page.evaluate(() => window.told)

test("axios", async (t) => {
  const page = await open(t)
  assert.equal(await page.evaluate(async () => (await recipes.axios.api.post("/api/notes", { text: "by axios" })).status), 201)
  assert.equal(await page.evaluate(() => recipes.axios.api.get("/api/error/500").catch((e) => e.response.status)), 500)
  assert.deepEqual(await told(page), [], "an error of the API's ended the session")
  await signOutElsewhere(page)
  const got = await page.evaluate(() => Promise.all([1, 2, 3].map(() => recipes.axios.api.get("/api/me").catch((e) => e.response.headers["coatcheck-error"]))))
  assert.deepEqual(got, Array(3).fill("not_authenticated"))
  assert.deepEqual(await told(page), ["signed_out"])
})

test("ky", async (t) => {
  const page = await open(t)
  assert.equal(await page.evaluate(async () => (await recipes.ky.api.post("/api/notes", { json: { text: "by ky" } })).status), 201)
  assert.match(await page.evaluate(async () => JSON.stringify(await recipes.ky.api.get("/api/me").json())), /ada@shop\.example/)
  await signOutElsewhere(page)
  assert.equal(await page.evaluate(() => recipes.ky.api.get("/api/me").catch((e) => e.response.status)), 401)
  assert.deepEqual(await told(page), ["signed_out"])
})

test("TanStack Query", async (t) => {
  const page = await open(t)
  const cached = () => page.evaluate(() => recipes.tanstack.queries.getQueryCache().getAll().length)
  assert.match(await page.evaluate(async () => JSON.stringify(await recipes.tanstack.queries.fetchQuery({ queryKey: ["/api/me"] }))), /ada@shop\.example/)
  assert.equal(await cached(), 1)
  let asked = 0
  await page.route("**/api/error/404", (route) => { asked++; return route.continue() })
  assert.equal(await page.evaluate(() => recipes.tanstack.queries.fetchQuery({ queryKey: ["/api/error/404"] }).catch((e) => e.status)), 404)
  assert.equal(asked, 1, "a refusal was asked for again")
  await page.evaluate(() => bff.logout())
  assert.equal(await cached(), 0, "the next person would see what this one saw")
})

test("event streams", async (t) => {
  const page = await open(t)
  await page.evaluate(() => {
    window.heard = []
    recipes.events.follow("/api/events", (data) => heard.push(data), "tick")
  })
  await until("events", () => page.evaluate(() => heard.length > 1))
  await signOutElsewhere(page)
  await until("word of the end", () => page.evaluate(() => window.told.length))
  assert.deepEqual(await told(page), ["signed_out"])
})

test("WebSockets", async (t) => {
  const page = await open(t)
  await page.evaluate(() => new Promise((resolve) => {
    window.heard = []
    const socket = recipes.websocket.connect("/api/socket", (data) => { heard.push(data); resolve() })
    socket.onopen = () => socket.send("hello")
  }))
  assert.match(await page.evaluate(() => String(heard[0])), /hello/)
  await signOutElsewhere(page)
  await until("word of the end", () => page.evaluate(() => window.told.length))
  assert.deepEqual(await told(page), ["signed_out"])
})

test("uploads with progress", async (t) => {
  const page = await open(t)
  const { steps, last, answer } = await page.evaluate(async () => {
    const seen = []
    const answer = await recipes.upload.upload("/api/upload", new Blob([new Uint8Array(4 << 20)]), (part) => seen.push(part))
    return { steps: seen.length, last: seen.at(-1), answer }
  })
  assert.ok(steps > 0 && last === 1, `${steps} steps, the last ${last}`)
  assert.match(JSON.stringify(answer), /4194304/)
  await signOutElsewhere(page)
  assert.equal(await page.evaluate(() => recipes.upload.upload("/api/upload", new Blob(["x"]), () => {}).catch((e) => e.message)), "not_authenticated")
})

test("a download by POST", async (t) => {
  const page = await open(t)
  const come = page.waitForEvent("download")
  await page.evaluate(() => recipes.download.save("/api/notes", new Blob([JSON.stringify({ text: "to be kept" })], { type: "application/json" }), "note.json"))
  const file = await come
  assert.equal(file.suggestedFilename(), "note.json")
  assert.match(await text(await file.createReadStream()), /to be kept/)
  await signOutElsewhere(page)
  assert.equal(await page.evaluate(() => recipes.download.save("/api/notes", "{}", "note.json").catch((e) => e.message)), "not_authenticated")
})

test("service workers", async (t) => {
  const page = await open(t)
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("/worker.js")
    await navigator.serviceWorker.ready
  })
  await page.reload()
  await page.waitForFunction(() => navigator.serviceWorker.controller)
  await page.evaluate(() => bff.ready)
  assert.equal(await page.evaluate(() => bff.session.status), "authenticated")
  await signOutElsewhere(page)
  const seen = await page.evaluate(async () => [(await bff.refresh()).status, (await fetch("/api/me")).status,
    (await (await caches.open("pages")).keys()).map((r) => new URL(r.url).pathname)])
  assert.deepEqual(seen.slice(0, 2), ["anonymous", 401])
  assert.ok(seen[2].includes("/main.js") && !seen[2].some((path) => /^\/(bff|api)\//.test(path)), seen[2].join(" "))
  const refused = await page.evaluate(() => navigator.serviceWorker.register("/api/worker.js", { scope: "/api/" }).catch((e) => e.name))
  assert.equal(refused, "TypeError") // 403
})

/** Waits until Ada is signed in at the page that is open; one that is being left has window.leaving. */
const ada = (page) => until("Ada", () => page.evaluate(() => !window.leaving && bff.session.user?.name === "Ada Lovelace").catch(() => false))

test("signing in at a provider, and silently in a second tab", async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(`${elsewhere.shop}/#top`)
  await page.evaluate(() => recipes.buttons.buttons(document.body))
  assert.deepEqual(await page.$$eval("button", (all) => all.map((b) => b.textContent)), ["Sign in with our account", "Sign in with another account"])
  await page.click("button")
  await enter(page, guests.ada)
  await ada(page)
  assert.equal(await address(page), `${elsewhere.shop}/#top`)

  // The other frontend knows nobody yet; the provider does.
  const other = await context.newPage()
  await other.goto(`${elsewhere.desk}/#here`)
  await other.evaluate(() => recipes.silent.signInSilently()).catch(() => {}) // the page leaves
  await ada(other)
  assert.equal(await address(other), `${elsewhere.desk}/#here`)

  // Nobody at the provider: back as they went, and not again.
  const stranger = await (await browser.newContext()).newPage()
  t.after(() => stranger.context().close())
  await stranger.goto(elsewhere.shop)
  await stranger.evaluate(() => { window.leaving = true; return recipes.silent.signInSilently() }).catch(() => {})
  await until("the way back", () => stranger.evaluate(() => !window.leaving && sessionStorage.getItem("tried") && bff.session.status === "anonymous").catch(() => false))
  await stranger.evaluate(() => recipes.silent.signInSilently())
  assert.equal(await address(stranger), `${elsewhere.shop}/`)
})

test("a stronger sign-in", async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(elsewhere.shop)
  await page.evaluate(() => bff.signIn()).catch(() => {})
  await enter(page, guests.ada)
  await ada(page)
  elsewhere.heard.length = 0
  assert.equal(await page.evaluate(() => { window.leaving = true; return recipes.stepup.pay({ item: 7 }) }).catch(() => undefined), undefined)
  const login = await until("the way there", () => elsewhere.heard.find((r) => r.path.startsWith("/bff/login?")))
  assert.equal(new URL(login.path, "http://x").searchParams.get("acr"), "gold")
  await ada(page)
  await until("an order that is taken", () => page.evaluate(() => recipes.stepup.pay({ item: 7 })).catch(() => undefined))
  assert.deepEqual(await page.evaluate(() => recipes.stepup.pay({ item: 7 })), { enough: true })
})
