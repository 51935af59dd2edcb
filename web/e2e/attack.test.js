// What a sibling's page, and an API's own answers, can do to a frontend: nothing.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { browse, demo, inside, people, signIn, until } from "./house.js"

let house, browser
before(async () => { [house, browser] = await Promise.all([demo(), browse()]) })
after(async () => { await browser?.close(); await house?.stop() })

async function ada() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  return { context, page }
}

test("the attacker's page gets nowhere, and its cookies go along", async () => {
  const { context, page } = await ada()
  const attacker = await context.newPage()
  const carried = new Set()
  const devtools = await context.newCDPSession(attacker)
  await devtools.send("Network.enable")
  devtools.on("Network.requestWillBeSentExtraInfo", ({ associatedCookies }) => {
    for (const { cookie, blockedReasons } of associatedCookies) if (blockedReasons.length === 0) carried.add(cookie.name)
  })
  await attacker.goto(house.evil)
  await attacker.click("#attack")
  await attacker.waitForSelector("#score:not(:empty)")
  const tries = await attacker.$$eval("#tries li", (all) => all.map((li) => [li.querySelector("h4").textContent, li.dataset.verdict, li.dataset.code]))
  assert.deepEqual(tries, [
    ["Post a form", "refused", "403 origin_not_allowed"],
    ["Sign the customer in as me", "refused", "403 origin_not_allowed"],
    ["Read with fetch", "refused", "403 origin_not_allowed"],
    ["Read as an image", "refused", "403 cross_site_request"],
    ["Hijack a WebSocket", "refused", "403 origin_not_allowed"],
    ["Sign out by prefetch", "refused", "403 cross_site_request"],
    ["Ask for permission", "refused", "403 origin_not_allowed"],
    ["Plant a cookie", "refused", "__Host- name, by the browser"],
    ["My callback in your browser", "refused", "400 login_elsewhere"],
    ["A replayed callback", "refused", "200, but no ticket"],
    ["A stolen code without its verifier", "refused", "400 invalid_grant"],
    ["A key, from a page", "refused", "403 origin_not_allowed"],
    ["Ticket and key", "refused", "400 two_credentials"],
    ["A replayed event", "refused", "200 duplicate"],
    ["A changed event", "refused", "401 signature_invalid"],
    ["A key revoked a second ago", "refused", "401 caller_unknown"],
  ])
  await until("the end of the attacker's window", () => context.pages().length === 2)
  // The attack is a real one: SameSite=Strict did not keep the cookie away.
  assert.ok(carried.has("__Host-Http-shop"), [...carried].join())
  await page.reload()
  await page.waitForSelector("text=Ada Lovelace")
  assert.deepEqual((await page.evaluate(() => fetch("/api/notes").then((r) => r.json()))).notes, [], "a note was written")
  await context.close()
})

test("a cookie that a sibling planted changes nothing, and goes no further", async () => {
  const { context, page } = await ada()
  const attacker = await context.newPage()
  await attacker.goto(house.evil)
  await attacker.evaluate(() => {
    for (const name of ["__Host-Http-shop", "__Host-shop", "shop", "XSRF-TOKEN", "session"])
      document.cookie = `${name}=planted; Domain=coatcheck.localhost; Path=/`
  })
  await page.reload()
  await inside(page)
  const answer = await page.evaluate(() => fetch("/api/echo").then((r) => r.json()))
  assert.match(await page.evaluate(() => document.cookie), /shop=planted/, "nothing was planted")
  assert.equal(answer.user.name, "Ada Lovelace")
  assert.equal(answer.cookie_arrived, false)
  assert.ok(!JSON.stringify(answer).includes("planted"))
  await context.close()
})

test("the pages can be framed by nobody", async () => {
  const { context } = await ada()
  const attacker = await context.newPage()
  const complaints = []
  attacker.on("console", (m) => complaints.push(m.text()))
  await attacker.goto(house.evil)
  await attacker.evaluate((shop) => new Promise((resolve) => {
    const frame = document.createElement("iframe")
    frame.onload = resolve
    frame.src = shop
    document.body.append(frame)
  }), house.shop)
  await until("the browser's complaint", () => complaints.some((c) => c.includes("frame-ancestors 'none'")))
  await context.close()
})

test("an API's answer becomes neither service worker, nor script, nor a page of ours", async () => {
  const { context, page } = await ada()
  const tried = await page.evaluate(async () => ({
    // Past the page's own policy, which would stop it sooner.
    worker: await navigator.serviceWorker.register(trustedTypes.createPolicy("test", { createScriptURL: (url) => url }).createScriptURL("/api/document")).then(() => "registered", (e) => e.name),
    script: await import("/api/echo").then(() => "ran", (e) => e.name),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }))
  assert.deepEqual(tried, { worker: "TypeError", script: "TypeError", workers: 0 })
  for (const path of ["document", "echo"])
    await until(`the refusal of /api/${path}`, () => new RegExp(`"path":"/api/${path}","status":403,[^\\n]*"code":"forbidden_destination"`).test(house.log()))
  await page.goto(`${house.shop}/api/document`)
  assert.match(await page.textContent("#verdict"), /did not run/)
  assert.equal(await page.evaluate(() => window.origin), "null", "the API's page has the frontend's origin")
  await context.close()
})

test("the page's policy lets no markup in", async () => {
  const { context, page } = await ada()
  const tried = await page.evaluate(() => {
    const attempt = (f) => { try { f(); return "done" } catch (e) { return e.name } }
    return {
      html: attempt(() => { document.createElement("div").innerHTML = "<b>x</b>" }),
      script: attempt(() => { document.createElement("script").src = "/x.js" }),
      worker: attempt(() => new Worker("/x.js")),
    }
  })
  assert.deepEqual(tried, { html: "TypeError", script: "TypeError", worker: "TypeError" })
  await context.close()
})
