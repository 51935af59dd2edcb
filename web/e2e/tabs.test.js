// One person in several tabs: reloads, sign-outs, streams, what stays on the page.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { browse, inside, outside, people, signIn, world } from "./house.js"

const houses = {}
let browser
before(async () => { [houses.http, houses.https, browser] = await Promise.all([world({ scheme: "http" }), world({ scheme: "https" }), browse()]) })
after(async () => { await browser?.close(); await Promise.all(Object.values(houses).map((h) => h.stop())) })

for (const scheme of ["http", "https"]) {
  /** Two tabs of one browser, Ada in both. */
  async function tabs() {
    const house = houses[scheme]
    const context = await browser.newContext()
    const one = await context.newPage(), two = await context.newPage()
    await one.goto(house.shop)
    await signIn(one, people.ada)
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

  test(`${scheme}: an upload tells how far it is`, async () => {
    const { context, one } = await tabs()
    const seen = await one.evaluate(() => new Promise((resolve) => {
      const request = new XMLHttpRequest(), seen = []
      request.open("POST", "/api/upload")
      request.setRequestHeader("X-CSRF", "1")
      request.upload.onprogress = (e) => seen.push(e.loaded)
      request.onloadend = () => resolve({ status: request.status, seen, answer: JSON.parse(request.responseText) })
      request.send(new Blob([new Uint8Array(24 << 20)]))
    }))
    assert.equal(seen.status, 200)
    assert.equal(seen.answer.bytes, 24 << 20)
    assert.ok(seen.seen.length > 1 && seen.seen[0] < 24 << 20, `progress: ${seen.seen}`)
    await context.close()
  })
}

test("a session that is about to end is told of, once, and can be prolonged", async () => {
  const house = await world({ sessions: "idle_timeout: 61s" })
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  await page.waitForSelector("#notice >> text=ends within a minute")
  await page.click("#extend")
  await page.waitForSelector("#notice", { state: "hidden" })
  await context.close()
  await house.stop()
})
