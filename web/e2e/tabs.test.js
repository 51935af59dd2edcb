// One person in several tabs: reloads, sign-outs, streams, what stays on the page.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { browse, inside, outside, people, signIn, site, until, world } from "./house.js"

// An API that reads a body when it is let, and says how long it was. The kernel's buffers
// on the way there hold less than a body.
const uploadSize = 96 << 20
async function holdingAPI() {
  const held = []
  const { port, stop } = await site({
    "/hold/upload": (request, response) => held.push(() => {
      let bytes = 0
      request.on("data", (part) => { bytes += part.length })
      request.on("end", () => response.end(String(bytes)))
    }),
  })
  return { held, stop, url: `http://127.0.0.1:${port}` }
}

const houses = {}
let api, browser
before(async () => {
  api = await holdingAPI()
  const hold = api.url;
  [houses.http, houses.https, browser] = await Promise.all([world({ scheme: "http", hold }), world({ scheme: "https", hold }), browse()])
})
after(async () => { await browser?.close(); await Promise.all([...Object.values(houses), api].map((h) => h?.stop())) })

for (const scheme of ["http", "https"]) {
  /** Two tabs of one browser, Ada in both. */
  async function tabs() {
    const house = houses[scheme]
    const context = await browser.newContext()
    const one = await context.newPage(), two = await context.newPage()
    await one.goto(house.shop)
    const last = one.waitForResponse((r) => new URL(r.url()).pathname === "/api/journal")
    await signIn(one, people.ada)
    await last // or an answer to this page tells of a sign-out before the other tab does
    await two.goto(house.shop)
    await inside(two) // a new tab knows who is there
    return { context, one, two }
  }

  test(`${scheme}: a reload keeps the session, and the page comes with it`, async () => {
    const { context, one } = await tabs()
    const asked = []
    one.on("request", (r) => { if (r.url().endsWith("/bff/session")) asked.push(r.url()) })
    const answer = await one.reload()
    await inside(one)
    assert.match(await answer.text(), /<script type="application\/json" id="bff-session">\{/)
    assert.equal(answer.headers()["cache-control"], "no-store")
    assert.deepEqual(asked, [], "the page asked for what it had")
    await context.close()
  })

  test(`${scheme}: sign-out reaches the other tab`, async () => {
    const { context, one, two } = await tabs()
    await two.click("#logout")
    await outside(two)
    await outside(one)
    await one.waitForSelector("text=another tab")
    await context.close()
  })

  test(`${scheme}: the back button shows nobody after sign-out`, async () => {
    const { context, one, two } = await tabs()
    await one.goto("about:blank") // its page lies in the back/forward cache now, if anywhere
    await two.click("#logout")
    await outside(two)
    await one.goBack()
    await outside(one)
    assert.equal(await one.textContent("#who"), "")
    await context.close()
  })

  test(`${scheme}: event stream and WebSocket end with a sign-out in another tab`, async () => {
    const { context, one, two } = await tabs()
    await one.evaluate(() => {
      window.ended = {}
      const source = new EventSource("/api/events")
      const socket = new WebSocket(location.origin.replace("http", "ws") + "/api/socket")
      source.onerror = () => { source.close(); window.ended.stream = true }
      socket.onclose = (event) => { window.ended.socket = event.code }
      return Promise.all([new Promise((r) => source.addEventListener("tick", r, { once: true })), new Promise((r) => { socket.onopen = r })])
    })
    assert.deepEqual(await one.evaluate(() => window.ended), {}, "they ended before")
    await two.click("#logout")
    await one.waitForFunction(() => window.ended.stream && window.ended.socket)
    assert.equal(await one.evaluate(() => window.ended.socket), 1008)
    await context.close()
  })

  // The API reads no body before the page has seen how far it is. What lies between them
  // takes less than the whole, so that the page learns of a part, or of nothing.
  test(`${scheme}: an upload tells how far it is`, async () => {
    const { context, one } = await tabs()
    await one.evaluate((size) => {
      const request = new XMLHttpRequest(), seen = []
      request.open("POST", "/hold/upload")
      request.setRequestHeader("X-CSRF", "1")
      request.upload.onprogress = (e) => seen.push(e.loaded)
      window.upload = { seen, end: new Promise((resolve) => { request.onloadend = () => resolve({ status: request.status, answer: request.responseText }) }) }
      request.send(new Blob([new Uint8Array(size)]))
    }, uploadSize)
    const first = await until("progress", () => one.evaluate(() => window.upload.seen[0]))
    assert.ok(first < uploadSize, `${first} bytes of an upload that nobody read`)
    const held = await until("the upload at the API", () => api.held.shift())
    held()
    const { status, answer, seen } = await one.evaluate(async () => ({ ...await window.upload.end, seen: window.upload.seen }))
    assert.equal(status, 200)
    assert.equal(answer, String(uploadSize), "bytes that the API read")
    assert.equal(seen.at(-1), uploadSize)
    assert.deepEqual(seen, seen.toSorted((a, b) => a - b))
    await context.close()
  })
}

test("a session that is about to end is told of, once, and can be prolonged", async (t) => {
  const house = await world({ sessions: "idle_timeout: 61s" })
  t.after(() => house.stop())
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  await page.waitForSelector("#notice >> text=ends within a minute")
  // The next warning may come at once, sooner than a look from here.
  await page.evaluate(() => {
    const notice = document.getElementById("notice")
    new MutationObserver(() => { window.gone ||= notice.hidden }).observe(notice, { attributeFilter: ["hidden"] })
  })
  await page.click("#extend")
  await page.waitForFunction(() => window.gone)
  await context.close()
})
