// The same in Firefox, driven by WebDriver BiDi, which it speaks itself.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { browseFirefox, demo, until } from "./house.js"

let house, firefox
before(async () => {
  [house, firefox] = await Promise.all([demo(), browseFirefox()])
})
after(async () => { await firefox?.close(); await house?.stop() })

async function signIn(page, address) {
  await page.goto(address)
  await page.waitForSelector("#door:not([hidden])")
  await page.click("#enter")
  await page.waitForSelector("#inside:not([hidden])")
}

/** Signs Radia in at the back office: at the provider's page, and back. */
async function signInAtLodge(page, house) {
  await page.goto(house.admin)
  await page.waitForSelector("#away:not([hidden])")
  await page.click("#leave")
  await page.waitForSelector("[name=request]")
  assert.equal(await page.evaluate(() => location.hostname), "id.porter.localhost") // the driver hears of it later
  await page.click("main form button")
  await page.waitForSelector("#inside:not([hidden])")
}

test("two people in Firefox, an attacker, and a sign-out that one of them sees", async () => {
  const context = await firefox.createBrowserContext()
  const shop = await context.newPage(), admin = await context.newPage(), attacker = await context.newPage()
  await signIn(shop, house.shop)
  await signInAtLodge(admin, house)
  const ours = async () => (await context.cookies()).filter((c) => c.domain.endsWith("coatcheck.localhost") && !c.name.endsWith("-login"))
  const cookies = (await ours()).sort((a, b) => a.name.localeCompare(b.name))
  assert.deepEqual(cookies.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path })),
    ["admin", "shop"].map((f) => ({ name: `__Host-Http-${f}`, httpOnly: true, secure: true, sameSite: "Strict", path: "/" })))
  assert.equal(await shop.evaluate(() => document.cookie), "")

  await attacker.goto(house.evil)
  await attacker.waitForSelector("#attack:not([disabled])")
  await attacker.click("#attack")
  await attacker.waitForSelector("#score:not(:empty)")
  const tries = await attacker.$$eval("#tries li", (all) => all.map((li) => li.dataset.verdict))
  assert.deepEqual(tries, Array(16).fill("refused"))

  await shop.bringToFront()
  await shop.click("[data-call=expire]")
  await shop.waitForFunction(() => document.getElementById("strip").textContent.includes("8 calls in · 1 refresh · 8 out"))
  const again = await context.newPage()
  await again.goto(house.shop)
  await again.waitForSelector("#inside:not([hidden])")
  await again.click("#logout")
  await shop.waitForSelector("#door:not([hidden])")
  await admin.reload()
  await admin.waitForFunction((name) => document.getElementById("who").textContent === name, {}, "Radia Perlman")
  await context.close()
})

test("a sign-out at the provider ends the back office in Firefox", async () => {
  const context = await firefox.createBrowserContext()
  const page = await context.newPage(), account = await context.newPage()
  await signInAtLodge(page, house)
  await page.waitForFunction(() => document.getElementById("strip").textContent.includes("authorize, challenge"))
  await account.goto(house.lodge)
  await account.click("#out")
  await account.waitForFunction(() => document.body.textContent.includes("Signed out"))
  await until("the end of the session", () => page.evaluate(async () => (await (await fetch("/bff/session")).json()).authenticated === false))
  await context.close()
})
