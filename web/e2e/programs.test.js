// Programs on the demo's page: what they may, what the API gets, what a page may not.
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { after, before, test } from "node:test"
import { promisify } from "node:util"
import { browse, demo, inside, outside, people, runs, signIn, signInAtLodge, until } from "./house.js"

let house, browser
before(async () => { [house, browser] = await Promise.all([demo(), browse()]) })
after(async () => { await browser?.close(); await house?.stop() })

async function ada() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  await page.waitForSelector("#programs:not([hidden])")
  return { context, page }
}

const key = () => /cchk_[0-9A-Za-z]{48}/.exec(house.log())[0]

test("what programs do is drawn, and arrives at the API by name", async () => {
  const { context, page } = await ada()
  await runs(page, "ring")
  await page.waitForSelector("#program-strip >> text=204, once")
  await page.waitForSelector("#arrivals >> text=by signature")
  await runs(page, "read")
  await page.waitForSelector(`#arrivals >> text=key ${key().slice(5, 15)}`) // its id: the key begins with it, and opens nothing by it
  await context.close()
})

test("a call from the terminal is seen on every page, as it comes", async () => {
  const { context, page } = await ada()
  const office = await context.newPage()
  await signInAtLodge(office, house)
  await office.waitForSelector("#programs:not([hidden])")
  const seen = (p) => p.locator("#arrivals li").count()
  const before = [await seen(page), await seen(office)]
  // The very lines that the demo printed.
  const command = /curl -u cchk_[^]*?orders/.exec(house.log())[0]
  const { stdout } = await promisify(execFile)("sh", ["-c", command])
  assert.match(stdout, /^order,date,item,amount\n7001/)
  for (const [i, p] of [page, office].entries()) await until("the arrival", async () => await seen(p) > before[i])
  await context.close()
})

test("a key in a page is refused, alone and beside the ticket", async () => {
  const { context, page } = await ada()
  await runs(page, "page")
  await page.waitForSelector("#program-strip >> text=403 key_in_browser")
  await page.waitForSelector("#program-strip >> text=400 two_credentials")
  // A person reads the same with a ticket alone.
  assert.equal(await page.evaluate(() => fetch("/v1/orders").then((r) => r.status)), 200)
  assert.equal(await page.evaluate(() => fetch("/hooks/phone", { method: "POST", headers: { "X-CSRF": "1" } }).then((r) => r.status)), 405)
  await context.close()
})

test("the limit holds, and says how much is left", async () => {
  const { context, page } = await ada()
  await runs(page, "hurry")
  await page.waitForSelector("#program-strip >> text=429 too_many_requests")
  await page.waitForSelector("#limit >> text=of 10 calls at once are left")
  assert.ok(await page.locator("#pips .spent").count() > 0)
  await context.close()
})

test("no page ever holds the key, the secret or the robot's token", async () => {
  const context = await browser.newContext()
  const heard = []
  context.on("response", async (r) => heard.push(r.url(), JSON.stringify(r.headers()), r.headers()["content-type"]?.includes("event-stream") ? "" : await r.text().catch(() => "")))
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  await page.waitForSelector("#programs:not([hidden])")
  for (const name of ["read", "ring"]) await runs(page, name)
  await page.waitForSelector("#arrivals li")
  const all = heard.join("\n") + await page.content()
  assert.ok(all.includes("Ada Lovelace"))
  for (const secret of [key(), /whsec_[\w+/=]+/.exec(house.log())[0], "robot-"]) assert.ok(!all.includes(secret), "it is in the page")
  await page.click("#logout")
  await outside(page)
  assert.equal(await page.isHidden("#programs"), true)
  await context.close()
})

test("the page comes back from the back button, and listens again", async () => {
  const { context, page } = await ada()
  await page.goto("about:blank")
  await page.evaluate(() => { setTimeout(() => history.back()) }) // later: this page ends with it, and the call here must not
  await until("the page", () => page.url().startsWith(house.shop))
  await inside(page)
  await page.waitForSelector("#programs:not([hidden])")
  await runs(page, "ring")
  await page.waitForSelector("#arrivals li")
  await context.close()
})
