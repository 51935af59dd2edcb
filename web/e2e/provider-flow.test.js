// Sign-in at a provider as people live through it.
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { address, atProvider, browsers, cookieNames, enter, formAtProvider, guests, shows, signInAt, signOut } from "./atprovider.js"
import { until } from "./house.js"

const me = (page, house, name) => page.evaluate((a) => window.bff.json(a), `${house.bff(name)}/api/me`)

for (const [kind, open] of Object.entries(browsers)) describe(kind, () => {
  let browser
  before(async () => { browser = await open() })
  after(async () => { await browser?.close() })

  for (const layout of ["same", "shared"]) for (const scheme of ["http", "https"]) describe(`${layout} host, ${scheme}`, () => {
    let house
    before(async () => { house = await atProvider({ layout, scheme }) })
    after(async () => { await house?.stop() })
    const fresh = async (t) => {
      const context = await browser.newContext()
      t.after(() => context.close())
      return context
    }

    test("in, a call, out, and the provider's session is over too", async (t) => {
      const page = await (await fresh(t)).newPage()
      await signInAt(page, house, "shop", guests.ada)
      assert.deepEqual(await me(page, house, "shop"), { token: true, cookie: null })
      assert.equal(await page.evaluate(() => document.cookie), "")
      await signOut(page)
      assert.equal(await address(page), `${house.shop}/`)
      await page.evaluate(() => { setTimeout(() => window.bff.signIn()) })
      await formAtProvider(page, house) // it asks again: its own session has ended
      await enter(page, guests.bob)
      await shows(page, guests.bob.Name)
    })

    // All come back in the same moment: their answers may overtake each other on the wire, and say the same.
    test("twelve tabs begun and finished at once all end signed in, with at most three cookies", async (t) => {
      const context = await fresh(t)
      const tabs = await Promise.all(Array.from({ length: 12 }, () => context.newPage()))
      await Promise.all(tabs.map((tab) => tab.goto(house.login("shop", { return_to: "/" })).catch(() => {})))
      for (const tab of tabs) await formAtProvider(tab, house)
      await Promise.all(tabs.map((tab) => enter(tab, guests.ada)))
      await Promise.all(tabs.map((tab) => shows(tab, guests.ada.Name)))
      for (const tab of tabs) assert.deepEqual(await me(tab, house, "shop"), { token: true, cookie: null })
      const names = await cookieNames(context, house.bff("shop"))
      assert.ok(names.length <= 3, names.join(" "))
      const sessions = await tabs[0].evaluate((a) => window.bff.json(a), `${house.bff("shop")}/bff/sessions`)
      assert.equal(sessions.length, 1, "sessions that no browser holds a ticket of stayed behind")
    })

    test("two people at two frontends, neither disturbs the other", async (t) => {
      const context = await fresh(t)
      const shop = await context.newPage(), desk = await context.newPage()
      await signInAt(shop, house, "shop", guests.ada)
      await desk.goto(house.desk)
      await shows(desk, "anonymous")
      await desk.evaluate(() => { setTimeout(() => window.bff.signIn({ prompt: "select_account" })) })
      await enter(desk, guests.bob)
      await shows(desk, guests.bob.Name)
      await shop.reload()
      await shows(shop, guests.ada.Name)
      assert.deepEqual([await me(shop, house, "shop"), await me(desk, house, "desk")], Array(2).fill({ token: true, cookie: null }))
      const jar = [...new Set([...await cookieNames(context, house.bff("shop")), ...await cookieNames(context, house.bff("desk"))])].sort()
      assert.deepEqual(jar, ["desk", "desk-login", "shop", "shop-login"].map((n) => `__Host-Http-${n}`))
    })

    test("a sign-out elsewhere, at the provider, ends an open event stream", async (t) => {
      const context = await fresh(t)
      const page = await context.newPage(), elsewhere = await context.newPage()
      await signInAt(page, house, "shop", guests.ada)
      await page.evaluate((a) => new Promise((resolve) => {
        const source = new EventSource(a, { withCredentials: true })
        source.addEventListener("tick", () => { window.last = performance.now(); resolve() })
        source.onerror = () => { source.close(); window.ended = true }
      }), `${house.bff("shop")}/api/events`)
      // The provider tells Coatcheck before it answers, and the promise is: within a second from then.
      // How long this machine takes to notice is not Coatcheck's: only that it ends is asserted.
      await elsewhere.goto(`${house.issuer}/end_session`)
      await until("the end of the stream", () => page.evaluate(() => window.ended))
      await page.evaluate(() => window.bff.refresh())
      assert.deepEqual(await page.evaluate(() => [window.bff.session.status, window.bff.session.reason]), ["anonymous", "revoked"])
    })
  })
})
