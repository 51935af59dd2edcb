// What browsers do every day that is no fetch: sockets of libraries, uploads, media, links.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import puppeteer from "puppeteer-core"
import { enter, everyday } from "./everyday-house.js"
import { browse, site, until } from "./house.js"

const patience = 120_000 // only what never happens may fail
let house, browser, firefox, mail
before(async () => {
  [house, browser, firefox] = await Promise.all([everyday(), browse(),
    puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true, timeout: patience, protocolTimeout: patience })])
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

const seen = (page, text) => until(text, () => page.evaluate((text) => window.seen.includes(text), text))

test("Socket.IO polls, sticks to one machine, and goes on over a WebSocket", async (t) => {
  const page = await open(t)
  await page.addScriptTag({ url: "/socketio.js", type: "module" })
  await seen(page, "hello over Socket.IO")
  assert.ok(house.asked.length > 0)
  for (const cookie of house.asked) assert.equal(cookie, "AWSALB=n1")
  assert.equal(await page.evaluate(() => document.cookie), "")
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

for (const name of ["Chromium", "Firefox"]) {
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
