// Sign-ins at a provider that do not go straight there and back.
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { address, atProvider, browsers, enter, formAtProvider, guests, leave, shows, signInAt } from "./atprovider.js"
import { until } from "./house.js"

for (const [kind, open] of Object.entries(browsers)) describe(kind, () => {
  let browser, house
  before(async () => { [browser, house] = await Promise.all([open(), atProvider({ attempt: "1m", par: "off" })]) })
  after(async () => { await browser?.close(); await house?.stop() })
  const fresh = async (t) => {
    const context = await browser.newContext()
    t.after(() => context.close())
    return context
  }

  test("tab 1 is finished after tab 2", async (t) => {
    const context = await fresh(t)
    const one = await context.newPage(), two = await context.newPage()
    for (const tab of [one, two]) {
      await tab.goto(house.shop)
      await shows(tab, "anonymous")
    }
    await leave(one, house.login("shop", { return_to: "/#one" }))
    await formAtProvider(one, house)
    await leave(two, house.login("shop", { return_to: "/#two" }))
    await enter(two, guests.ada)
    await shows(two, guests.ada.Name)
    await enter(one, guests.bob) // another person: the last one who signs in is in
    await shows(one, guests.bob.Name)
    assert.deepEqual([await address(one), await address(two)], [`${house.shop}/#one`, `${house.shop}/#two`])
    await two.reload()
    await shows(two, guests.bob.Name)
    assert.equal((await one.evaluate(() => window.bff.json("/bff/sessions"))).length, 1)
  })

  test("the back button after a sign-in shows no error and loses nothing", async (t) => {
    const page = await (await fresh(t)).newPage()
    await signInAt(page, house, "shop", guests.ada)
    const calls = house.heard.length
    await page.evaluate(() => { window.same = true; setTimeout(() => history.back()) })
    // Back may lead over the callback, which goes on by itself; an error page would stay there.
    await until("a page behind the callback", () => page.evaluate((ours) =>
      !window.same && document.readyState === "complete" && !location.pathname.startsWith("/bff/") && ours.some((one) => location.href.startsWith(one)),
    [house.shop, house.issuer]).catch(() => false))
    const sent = house.heard.slice(calls).filter((r) => r.path.startsWith("/bff/callback"))
    await page.goto(house.shop)
    await shows(page, guests.ada.Name)
    assert.ok(sent.length <= 1, "the browser went round in circles")
  })

  // Without pushed requests: the address of one works once, whoever opens it.
  test("a bookmark of the provider's page signs in, with an attempt of this browser's own", async (t) => {
    const old = await (await fresh(t)).newPage() // another browser, where the address was noted
    await old.goto(house.login("shop", { return_to: "/#top" })).catch(() => {})
    await formAtProvider(old, house)
    const bookmark = await address(old)
    const page = await (await fresh(t)).newPage()
    await page.goto(bookmark)
    await enter(page, guests.ada)
    await shows(page, guests.ada.Name)
    assert.equal(await address(page), `${house.shop}/#top`)
  })

  // Real time passes here: a minute is the shortest that a person can be given. A second
  // tab keeps the cookie alive, so that it is the attempt that is too old.
  test("an attempt that took too long begins anew, and ends well", async (t) => {
    const context = await fresh(t)
    const one = await context.newPage(), two = await context.newPage()
    await one.goto(house.login("shop", { return_to: "/#late" })).catch(() => {})
    await formAtProvider(one, house)
    const over = Date.now() + 61_000
    await until("the end of the attempt", async () => {
      await two.goto(house.login("shop")).catch(() => {})
      return Date.now() > over
    })
    house.heard.length = 0
    await enter(one, guests.ada)
    await shows(one, guests.ada.Name)
    assert.equal(await address(one), `${house.shop}/#late`)
    assert.equal(house.heard.filter((r) => r.path.startsWith("/bff/callback")).length, 2)
  })

  test("cancel at the provider: a page of ours that says so, and a way to try again", async (t) => {
    const page = await (await fresh(t)).newPage()
    await page.goto(house.login("shop")).catch(() => {})
    await formAtProvider(page, house)
    await page.evaluate(() => { setTimeout(() => document.querySelector("[name=cancel]").click()) })
    await until("our page", () => page.evaluate(() => document.title === "The sign-in did not work").catch(() => false))
    assert.doesNotMatch(await page.evaluate(() => document.body.textContent), /pressed cancel|access_denied/)
    await page.evaluate(() => { setTimeout(() => document.querySelector("a").click()) })
    await enter(page, guests.ada)
    await shows(page, guests.ada.Name)
  })
})
