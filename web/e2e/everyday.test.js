// What browsers do every day that is no fetch: sockets of libraries, uploads, media, links.
import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { chromium } from "playwright-core"
import { WebSocket } from "ws"
import { certificate } from "./certificate.js"
import { enter, everyday } from "./everyday-house.js"
import { browse, browseFirefox, flags, patience, site, until } from "./house.js"

let house, browser, firefox, mail
before(async () => {
  [house, browser, firefox] = await Promise.all([everyday(), browse(), browseFirefox()])
  mail = await site({ "/": `<!doctype html><a id="link" href="${house.shop}/api/report">the report</a>` })
})
after(async () => { await browser?.close(); await firefox?.close(); await mail?.stop(); await house?.stop() })

/** A page with a person signed in, in a Chromium of its own. */
async function open(t) {
  const context = await browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(house.shop)
  assert.equal(await page.evaluate(enter), 200)
  return page
}

/** A browser of its own whose profile stays on disk when it is closed. */
async function profile(name, dir) {
  if (name === "Firefox") {
    const own = await browseFirefox({ userDataDir: dir })
    return { page: await own.newPage(), close: () => own.close() }
  }
  const own = await chromium.launchPersistentContext(dir, { ...flags(await certificate()), timeout: patience })
  own.setDefaultTimeout(patience)
  return { page: await own.newPage(), close: () => own.close() }
}

const seen = (page, text) => until(text, () => page.evaluate((text) => window.seen.includes(text), text))

test("Socket.IO polls, sticks to one machine, and goes on over a WebSocket", async (t) => {
  const page = await open(t)
  await page.addScriptTag({ url: "/socketio.js", type: "module" })
  await seen(page, "hello over Socket.IO")
  assert.ok(house.asked.length > 0)
  for (const cookie of house.asked) assert.equal(cookie, "AWSALB=n1")
  assert.equal(await page.evaluate(() => document.cookie), "")
})

test("SignalR negotiates, and goes on over a WebSocket", async (t) => {
  const page = await open(t)
  await page.addScriptTag({ url: "/signalr.js", type: "module" })
  await seen(page, "hello over SignalR")
})

test("React Native's fetch and socket, which name no page by themselves", async (t) => {
  const text = await readFile(new URL("../../docs/recipes.md", import.meta.url), "utf8")
  const recipe = /<!-- test:native reactnative -->\n```js\n(.*?)\n```/s.exec(text)[1]
    .replace("https://api.example.com", house.shop).replace("https://shop.example.com", house.shop)
  // Both keep cookies by themselves there. Node knows no *.localhost.
  const local = { lookup: (host, options, done) => done(null, options.all ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4) }
  let cookie = ""
  const fetched = async (url, { body, ...options }) => {
    const [answer] = await once(request(url, { ...local, ...options }).end(body), "response")
    answer.resume()
    cookie = answer.headers["set-cookie"].map((line) => line.split(";")[0]).join("; ")
    return { status: answer.statusCode }
  }
  class Socket extends WebSocket {
    // Android says the socket's own host, which is no page's, unless it is told another.
    constructor(url, protocols, options) {
      super(url, protocols, { ...local, ...options, headers: { Origin: "https://api.example.com", ...options.headers, Cookie: cookie } })
    }
  }
  const { signIn, live } = new Function("fetch", "WebSocket", `${recipe.replaceAll("export const", "const")}\nreturn { signIn, live }`)(fetched, Socket)
  assert.equal((await signIn("ada@x.test", "p")).status, 200)
  const socket = live()
  t.after(() => socket.terminate())
  const [said] = await once(socket, "message")
  assert.match(String(said), /^live for/)

  const refused = new Socket(socket.url, undefined, {})
  const [, answer] = await once(refused, "unexpected-response")
  assert.equal(answer.statusCode, 403)
  assert.equal(answer.headers["coatcheck-error"], "origin_not_allowed")
  refused.on("error", () => {}).terminate()
})

test("a GraphQL subscription carries the person in its first message", async (t) => {
  const page = await open(t)
  await page.addScriptTag({ url: "/graphql.js", type: "module" })
  await seen(page, "hello over GraphQL")
  assert.ok(!house.log().includes("MARKED"))
})

test("tus uploads in parts, at addresses that the API builds from what it is told", async (t) => {
  const page = await open(t)
  await page.addScriptTag({ url: "/tus.js", type: "module" })
  await page.waitForFunction(() => window.Upload)
  const url = await page.evaluate(() => new Promise((resolve, reject) => {
    const upload = new Upload(new Blob([new Uint8Array(300_000)]), { endpoint: "/api/files", chunkSize: 100_000, headers: { "X-CSRF": "1" },
      onError: reject, onSuccess: () => resolve(upload.url) })
    upload.start()
  }))
  assert.ok(url.startsWith("/api/files/"), url)
  const size = await page.evaluate((url) => fetch(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } }).then((r) => r.headers.get("Upload-Offset")), url)
  assert.equal(size, "300000")
})

test("a beacon needs a route for it, a fetch that outlives the page does not", async (t) => {
  const page = await open(t)
  const status = await page.evaluate(() => fetch("/api/vitals", { method: "POST", keepalive: true, headers: { "X-CSRF": "1", "Content-Type": "application/json" }, body: "{}" }).then((r) => r.status))
  assert.equal(status, 200)
  const refused = page.waitForResponse((r) => r.url().endsWith("/api/beacon"))
  await page.evaluate(() => navigator.sendBeacon("/api/beacon", new Blob(["{}"], { type: "application/json" })))
  assert.equal((await refused).status(), 403)
})

/** The sound's element in a tab of its own, and how much of it is there. */
const sound = () => { const e = document.querySelector("video, audio"); return e ? e.readyState : -1 }

/** Waits until the page that is open, whichever it is by then, says something. */
const says = (page, text) => until(text, () => page.evaluate((text) => document.body?.textContent.includes(text), text).catch(() => false))

/** Posts a form of the page that is open, as a download by POST is done without a script's fetch. */
const post = (action) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action })
  document.body.append(form)
  form.submit()
}

for (const name of ["Chromium", "Firefox"]) {
  test(`a form that posts for a file, in ${name}`, async (t) => {
    const context = name === "Firefox" ? await firefox.createBrowserContext() : await browser.newContext()
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto(house.shop)
    assert.equal(await page.evaluate(enter), 200)
    house.exported.length = 0
    await page.evaluate(post, "/api/form/export")
    await until("the file that was asked for", () => house.exported.length > 0)
    assert.deepEqual(house.exported, ["POST"])
    await page.evaluate(post, "/api/export")
    await says(page, "csrf_header_missing")
    assert.deepEqual(house.exported, ["POST"], "a form without the header came through")
    assert.ok(await page.evaluate(() => !document.body.textContent.includes('{"')), "a person sees JSON")
  })

  test(`a person who is remembered when ${name} was closed, and one who is not`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "coatcheck-remember-"))
    t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }))
    for (const [person, remember, status] of [["kept", true, 200], ["gone", false, 401]]) {
      const first = await profile(name, join(dir, person))
      await first.page.goto(house.shop)
      assert.equal(await first.page.evaluate(enter, { remember }), 200)
      await first.close()
      const second = await profile(name, join(dir, person))
      await second.page.goto(house.shop)
      assert.equal(await second.page.evaluate(() => fetch("/api/me").then((r) => r.status)), status, person)
      await second.close()
    }
  })

  test(`media, and a link in a mail, in ${name}`, async (t) => {
    const context = name === "Firefox" ? await firefox.createBrowserContext() : await browser.newContext()
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto(house.shop)
    assert.equal(await page.evaluate(enter), 200)
    if (name === "Chromium") {
      await page.evaluate(() => { location.href = "/api/a.wav" })
      await until("the sound", async () => await page.evaluate(sound).catch(() => 0) > 0)
    } else { // what opens a tab of media there is out of a driver's sight
      const length = await page.evaluate(() => new Promise((resolve, reject) => {
        const audio = new Audio("/api/a.wav")
        audio.onloadedmetadata = () => resolve(audio.duration)
        audio.onerror = () => reject(new Error(audio.error.message))
      }))
      assert.equal(length, 2)
    }
    await page.goto(`http://www.mail.localhost:${mail.port}/`)
    await page.evaluate(() => document.getElementById("link").click())
    await says(page, "Another site led you here")
    await page.evaluate(() => document.querySelector("a.button").click())
    await says(page, "report for /report")
  })
}
