// The newcomer's two minutes, and what happens to a browser on the way.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, test } from "node:test"
import { browse, eavesdrop, freePort, run, site } from "./house.js"

let port, demo, browser, shop, admin
const people = { ada: ["ada@shop.example", "engine-number-one"], radia: ["radia@admin.example", "spanning-tree"] }

before(async () => {
  port = await freePort()
  demo = await run(["demo", "-listen", `localhost:${port}`], {}, `http://localhost:${port}/bff/session`)
  shop = `http://shop.coatcheck.localhost:${port}`
  admin = `http://admin.coatcheck.localhost:${port}`
  browser = await browse()
})
after(async () => { await browser?.close(); await demo?.stop() })

async function signIn(page, address, [email, password]) {
  await page.goto(address)
  await page.fill("[name=email]", email)
  await page.fill("[name=password]", password)
  await page.click("form button")
  await page.waitForSelector("#inside:not([hidden])")
}

const signedOut = (page) => page.waitForSelector("#door:not([hidden])")

test("the newcomer's two minutes", async () => {
  const context = await browser.newContext()
  const heard = eavesdrop(context)
  const page = await context.newPage()
  await page.goto(shop)
  await page.fill("[name=email]", people.ada[0])
  await page.fill("[name=password]", "wrong")
  await page.click("form button")
  await page.waitForSelector("text=invalid_credentials")
  await signIn(page, shop, people.ada)
  assert.equal(await page.textContent("#cookies"), "empty")
  assert.equal(await page.textContent("#storage"), "empty")
  assert.match(await page.textContent("#who"), /Ada Lovelace/)
  await page.click("[data-call=echo]")
  await page.waitForSelector("text=A token, and no cookie.")
  for (const call of ["read", "write", "upload", "error", "forge"]) {
    await page.click(`[data-call=${call}]`)
    await page.waitForSelector(`[data-call=${call}]:not([disabled])`)
  }
  await page.click("[data-call=events]")
  await page.waitForSelector("#strip >> text=event 5 of 5")
  await page.click("[data-call=expire]")
  await page.waitForSelector("text=refreshes: 1")
  assert.equal(await page.locator("#strip li", { hasText: "8 answers" }).count(), 1)

  // The cookie as the browser keeps it.
  const cookies = await context.cookies()
  assert.equal(cookies.length, 1)
  const { name, value, ...rest } = cookies[0]
  assert.equal(name, "__Host-Http-shop")
  assert.deepEqual({ httpOnly: rest.httpOnly, secure: rest.secure, sameSite: rest.sameSite, path: rest.path, expires: rest.expires, domain: rest.domain },
    { httpOnly: true, secure: true, sameSite: "Strict", path: "/", expires: -1, domain: "shop.coatcheck.localhost" })

  // Nothing that a script, the network panel's bodies or the console shows is the ticket.
  await page.click("#sessions")
  await page.waitForSelector("#list li")
  await page.reload()
  await page.waitForSelector("#inside:not([hidden])")
  const everything = heard.join("\n") + await page.content()
  assert.ok(everything.length > 10_000, "nothing was heard")
  assert.ok(!everything.includes(value), "the ticket was seen")
  assert.ok(!/"(access|refresh)_token"/.test(everything), "a token was seen")
  await page.click("#logout")
  await signedOut(page)
  assert.equal((await context.cookies()).length, 0)
  await context.close()
})

test("two people in one browser; one leaves, the other stays", async () => {
  const context = await browser.newContext()
  const one = await context.newPage(), two = await context.newPage()
  await signIn(one, shop, people.ada)
  await signIn(two, admin, people.radia)
  assert.deepEqual((await context.cookies()).map((c) => c.name).sort(), ["__Host-Http-admin", "__Host-Http-shop"])
  await one.click("#logout")
  await signedOut(one)
  await two.reload()
  await two.waitForSelector("text=Radia Perlman")
  await two.click("[data-call=echo]")
  await two.waitForSelector("text=A token, and no cookie.")
  await context.close()
})

test("other tabs, the back button, and an end from elsewhere", async () => {
  const context = await browser.newContext()
  const one = await context.newPage(), two = await context.newPage()
  await signIn(one, shop, people.ada)
  await two.goto(shop)
  await two.waitForSelector("#inside:not([hidden])") // a new tab knows who is there
  await one.goto("about:blank") // one is now in the back/forward cache, if anywhere
  await two.click("#logout")
  await signedOut(two)
  await one.goBack()
  await signedOut(one)

  await signIn(one, shop, people.ada)
  await two.reload()
  await two.waitForSelector("#inside:not([hidden])")
  await two.click("#logout")
  await signedOut(one) // told by the other tab

  const elsewhere = await browser.newContext()
  const phone = await elsewhere.newPage()
  await signIn(one, shop, people.ada)
  await signIn(phone, shop, people.ada)
  await phone.click("#sessions")
  await phone.locator("#list li", { hasText: "another" }).first().getByRole("button").click()
  await one.click("[data-call=read]")
  await one.waitForSelector("text=This session was ended elsewhere.")
  await context.close()
  await elsewhere.close()
})

test("a stream ends when another tab signs out", async () => {
  const context = await browser.newContext()
  const one = await context.newPage(), two = await context.newPage()
  await signIn(one, shop, people.ada)
  await two.goto(shop)
  await two.waitForSelector("#inside:not([hidden])")
  await one.evaluate(() => {
    const source = new EventSource("/api/events")
    source.onopen = () => { window.opened = true }
    source.onerror = () => { source.close(); window.closed_ = true }
  })
  await one.waitForFunction(() => window.opened)
  await two.click("#logout")
  await one.waitForFunction(() => window.closed_)
  await context.close()
})

test("an API's answer becomes neither script, nor worker, nor page", async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await signIn(page, shop, people.ada)
  const tries = await page.evaluate(async () => {
    const results = {}
    results.worker = await navigator.serviceWorker.register("/api/document").then(() => "registered", (e) => e.name)
    results.script = await import("/api/echo").then(() => "ran", (e) => e.name)
    return results
  }).catch((e) => ({ blocked: String(e) }))
  assert.ok(!JSON.stringify(tries).includes("registered") && !JSON.stringify(tries).includes("ran\""), JSON.stringify(tries))
  await page.goto(`${shop}/api/document`)
  assert.equal(await page.evaluate(() => window.origin), "null", "the API's page has the frontend's origin")
  await context.close()
})

test("a sibling's page gets nowhere", async () => {
  const evil = await site({ "/": "<!doctype html><title>evil</title>" })
  const context = await browser.newContext()
  const page = await context.newPage()
  await signIn(page, shop, people.ada)
  const attacker = await context.newPage()
  await attacker.goto(`http://evil.coatcheck.localhost:${evil.port}/`)
  const tries = await attacker.evaluate(async (shop) => {
    const results = {}
    const attempt = async (name, f) => { results[name] = await f().then((r) => r, (e) => e.name) }
    const fetched = (path, init) => fetch(shop + path, { credentials: "include", ...init }).then(async (r) => `${r.type} ${r.status} ${(await r.text()).slice(0, 80)}`)
    await attempt("read", () => fetched("/api/notes"))
    await attempt("read without cors", () => fetched("/api/notes", { mode: "no-cors" }))
    await attempt("write with the header", () => fetched("/api/notes", { method: "POST", headers: { "X-CSRF": "1" }, body: "{}" }))
    await attempt("text/plain sign-in", () => fetched("/bff/login", { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: JSON.stringify({ email: "grace@shop.example", password: "ship-in-harbour" }) }))
    await attempt("sign-out", () => fetched("/bff/logout", { method: "POST", mode: "no-cors" }))
    await attempt("image", () => new Promise((resolve) => { const i = new Image(); i.onload = () => resolve("loaded"); i.onerror = () => resolve("error"); i.src = shop + "/api/notes" }))
    await attempt("script", () => new Promise((resolve) => { const s = document.createElement("script"); s.onload = () => resolve("loaded"); s.onerror = () => resolve("error"); s.src = shop + "/bff/session"; document.head.append(s) }))
    await attempt("socket", () => new Promise((resolve) => { const w = new WebSocket(shop.replace("http", "ws") + "/api/ws"); w.onopen = () => resolve("open"); w.onerror = () => resolve("error") }))
    await attempt("prefetch of sign-out", () => new Promise((resolve) => { const l = document.createElement("link"); l.rel = "prefetch"; l.href = shop + "/bff/logout"; l.onload = l.onerror = () => resolve("tried"); document.head.append(l); setTimeout(() => resolve("tried"), 500) }))
    document.cookie = "__Host-Http-shop=planted; Domain=coatcheck.localhost; Path=/"
    document.cookie = "shop=planted; Domain=coatcheck.localhost; Path=/"
    return results
  }, shop)
  for (const name of ["read", "write with the header"]) assert.equal(tries[name], "TypeError", name)
  for (const name of ["image", "script", "socket"]) assert.equal(tries[name], "error", name)
  for (const name of ["read without cors", "text/plain sign-in", "sign-out"]) assert.match(tries[name], /^(opaque 0 $|TypeError)/, name)

  // A form, with the cookie that a sibling's form carries.
  await attacker.evaluate((shop) => {
    const form = document.createElement("form")
    Object.assign(form, { method: "POST", action: `${shop}/bff/logout` })
    document.body.append(form)
    form.submit()
  }, shop)
  await attacker.waitForURL(`${shop}/bff/logout`)
  assert.match(await attacker.textContent("body"), /origin_not_allowed/)

  // Ada is still there, and still Ada.
  await page.reload()
  await page.waitForSelector("text=Ada Lovelace")
  assert.match(demo.log(), /"code":"origin_not_allowed"/)
  assert.match(demo.log(), /"code":"cross_site_request"/)
  await context.close()
  await evil.stop()
})

test("nobody is shut out: light and dark, wide and narrow", async () => {
  const axe = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8")
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1200, 380]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
      const page = await context.newPage()
      const check = async (where) => {
        const found = await page.evaluate(`${axe}; axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes.map((n) => n.target)))`)
        assert.deepEqual(found, [], `${where}, ${colorScheme}, ${width}`)
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} is wider than ${width}`)
      }
      await page.goto(shop)
      await signedOut(page)
      await check("door")
      await signIn(page, shop, people.ada)
      await page.click("[data-call=echo]")
      await page.waitForSelector("#strip li")
      await check("inside")
      await context.close()
    }
  }
})
