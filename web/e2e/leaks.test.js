// The conscience: no token and no ticket anywhere that a script, the storage, the
// network panel's bodies or the console can show.
import assert from "node:assert/strict"
import { test } from "node:test"
import { browse, demo, eavesdrop, inside, kept, outside, people, press, signIn, until } from "./house.js"

test("nothing in the browser shows a token or a ticket", async (t) => {
  const [house, browser] = await Promise.all([demo(), browse()])
  t.after(async () => { await browser.close(); await house.stop() })
  const context = await browser.newContext()
  const heard = eavesdrop(context)
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  const tickets = (await kept(context, page, house.shop)).map((c) => c.value)
  assert.equal(tickets.length, 1)
  assert.match(tickets[0], /^[\w-]{43}$/)
  for (const name of ["read", "write", "upload", "events", "socket", "error", "forge", "expire"]) await press(page, name)
  await page.evaluate(() => fetch("/bff/sessions").then((r) => r.text()))
  await page.evaluate(() => fetch("/x", { headers: { "X-A": "a\u0001b" } }).catch(() => {})) // what makes some servers print the request
  await page.goto(`${house.shop}/bff/sessions`)
  await page.goto(house.shop)
  await inside(page)
  const seen = await page.evaluate(async () => JSON.stringify([
    document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML, await cookieStore.getAll(),
    await indexedDB.databases(), await caches.keys(), performance.getEntries().map((e) => JSON.stringify(e)),
    Object.keys(window).map((k) => { try { return `${k}=${JSON.stringify(window[k])}` } catch { return k } }), history.state, name, document.referrer,
  ]))
  await page.click("#logout")
  await outside(page)
  await until("what the page heard", () => heard.join().includes("Ada Lovelace"))
  const everything = [seen, ...heard, house.log()].join("\n")
  assert.ok(everything.length > 20_000 && heard.join().includes("Ada Lovelace"), "nothing was heard")
  assert.ok(!everything.includes(tickets[0]), "the ticket was seen")
  assert.ok(!/demo_[ar]t\.|"(access|refresh)_token"/.test(everything), "a token was seen")
  assert.ok(!everything.replaceAll(people.ada.email, "").includes(`"password":"${people.ada.password}"`), "the password was seen")
  assert.deepEqual(await kept(context, page, house.shop), [], "the cookie is still there")
  await context.close()
})
