// The back office, whose people sign in at a provider's page.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { axe, browse, demo, inside, outside, press, signInAtLodge } from "./house.js"

let house, browser
before(async () => { [house, browser] = await Promise.all([demo(), browse()]) })
after(async () => { await browser?.close(); await house?.stop() })

async function radia(options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await signInAtLodge(page, house)
  return { context, page }
}

test("the sign-in is drawn as the provider saw it, and its token is the one that the API gets", async () => {
  const { context, page } = await radia()
  await page.waitForSelector("#strip >> text=How you came in")
  const words = await page.$$eval("#strip .words", (all) => all.map((w) => w.textContent))
  assert.deepEqual(words.map((w) => w.replace(/[0-9a-f]{8}/, "…")), ["GET /bff/login", "303, off to the provider", "authorize, challenge …", "your password, typed over there",
    "303 back, with code …", "callback, with the code", "token: the code, and its verifier", "token …, never in the browser", "a ticket"])
  const token = /[0-9a-f]{8}/.exec(words[7])[0]
  assert.equal(await page.textContent("#authorization"), `Bearer [token ${token}]`)
  await context.close()
})

test("a token of the provider's is renewed there, once for eight calls", async () => {
  const { context, page } = await radia()
  await page.waitForSelector("#strip >> text=How you came in") // the page has read the journal; two readers take entries from each other
  await press(page, "expire")
  await page.waitForSelector("#strip >> text=8 calls in · 1 refresh · 8 out")
  await page.waitForSelector("#strip >> text=1 refresh, at the provider")
  assert.equal(await page.textContent("#refreshed"), "once")
  await context.close()
})

test("who signs out at the provider is signed out here, and nobody touched this page", async () => {
  const { context, page } = await radia()
  await page.waitForSelector("#to-porter:not([hidden])")
  const [account] = await Promise.all([context.waitForEvent("page"), page.click("#to-porter")])
  await page.waitForSelector("#strip >> text=until the provider ends the session")
  await account.waitForSelector("text=Radia Perlman")
  await account.click("#out")
  await account.waitForSelector("text=Signed out")
  await outside(page)
  await page.waitForSelector("#notice >> text=revoked")
  await context.close()
})

test("who signs out here is signed out at the provider", async () => {
  const { context, page } = await radia()
  const back = page.waitForResponse((r) => r.url() === `${house.admin}/`)
  await page.click("#logout")
  await back
  await page.waitForSelector("#leave")
  await page.goto(house.lodge)
  await page.waitForSelector("text=Nobody is signed in")
  await context.close()
})

test("a session that is ended elsewhere, and who goes as Hedy", async () => {
  const { context, page } = await radia()
  await press(page, "elsewhere")
  await outside(page)
  await page.getByRole("button", { name: "Hedy" }).click()
  // The provider still knows Radia, and asks all the same.
  await page.waitForURL(/^http:\/\/id\.porter\.localhost:/)
  assert.equal(await page.inputValue("[name=email]"), "hedy@admin.example")
  await page.click("main form button")
  await page.waitForSelector("text=Hedy Lamarr")
  await context.close()
})

test("the provider's pages have no script, and shut nobody out", async () => {
  const source = await axe()
  await Promise.all(["light", "dark"].flatMap((colorScheme) => [1200, 360].map(async (width) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce", bypassCSP: true })
    const page = await context.newPage()
    const check = async (where) => {
      assert.equal(await page.evaluate(() => document.scripts.length), 0)
      const found = await page.evaluate(`${source}; axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes.map((n) => n.target)))`)
      assert.deepEqual(found, [], `${where}, ${colorScheme}, ${width}`)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} is wider than ${width}`)
    }
    await page.goto(house.admin)
    await page.click("#leave")
    await page.waitForURL(/^http:\/\/id\.porter\.localhost:/)
    await page.fill("[name=password]", "wrong")
    await page.click("main form button")
    await page.waitForSelector("[role=alert]")
    await check("refused")
    await page.getByRole("button", { name: "Radia Perlman" }).click()
    await inside(page)
    await page.goto(house.lodge)
    await check("account")
    await page.click("#out")
    await page.waitForSelector("text=Signed out")
    await check("signed out")
    await context.close()
  })))
})

test("the back office's pages, light and dark, wide and narrow", async () => {
  const source = await axe()
  await Promise.all(["light", "dark"].flatMap((colorScheme) => [1200, 360].map(async (width) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" })
    const page = await context.newPage()
    const check = async (where) => {
      const found = await page.evaluate(`${source}; axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes.map((n) => n.target)))`)
      assert.deepEqual(found, [], `${where}, ${colorScheme}, ${width}`)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} is wider than ${width}`)
    }
    await page.goto(house.admin)
    await page.waitForSelector("#away:not([hidden])")
    await check("door")
    await signInAtLodge(page, house)
    await page.waitForSelector("#strip >> text=a ticket")
    await check("inside")
    await context.close()
  })))
})
