// What sign-in at a provider takes for granted of browsers.
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { address, arrives, atProvider, browsers, enter, guests, leave, shows } from "./atprovider.js"
import { until } from "./house.js"

for (const [name, open] of Object.entries(browsers)) {
  for (const scheme of ["http", "https"]) describe(`${name}, ${scheme}`, () => {
    let house, browser
    before(async () => { [house, browser] = await Promise.all([atProvider({ scheme }), open()]) })
    after(async () => { await browser?.close(); await house?.stop() })

    /** Signs Ada in by way of a provider, and returns what Coatcheck was asked meanwhile. */
    const way = async (page, provider) => {
      await page.goto(house.shop)
      await shows(page, "anonymous")
      house.heard.length = 0
      await leave(page, house.login("shop", { provider, return_to: "/cart#top" }))
      await enter(page, guests.ada)
      if (provider === "post") {
        await until("the provider's answer", () => page.evaluate(() => document.querySelector("button")?.textContent === "Continue").catch(() => false))
        await page.evaluate(() => { setTimeout(() => document.querySelector("button").click()) })
      }
      await shows(page, guests.ada.Name)
      return house.heard
    }
    const cookies = (headers) => (headers.cookie ?? "").split("; ").filter(Boolean).map((c) => c.split("=")[0]).sort()

    test("the landing page leads on from our own site, with the Strict cookie", async (t) => {
      const context = await browser.newContext()
      t.after(() => context.close())
      const page = await context.newPage()
      const heard = await way(page, "id")
      assert.equal(await address(page), `${house.shop}/cart#top`)
      const back = heard.find((r) => r.path.startsWith("/bff/callback/"))
      assert.equal(back.method, "GET")
      assert.equal(back.headers["sec-fetch-site"], "cross-site")
      assert.equal(back.headers["sec-fetch-mode"], "navigate")
      assert.deepEqual(cookies(back.headers), ["__Host-Http-shop-login"])
      const next = heard[heard.indexOf(back) + 1]
      assert.equal(next.path, "/cart")
      assert.equal(next.headers["sec-fetch-site"], "same-origin", "the policy of the landing page hinders its own way on, or the site is not ours")
      assert.deepEqual(cookies(next.headers), ["__Host-Http-shop", "__Host-Http-shop-login"])
      assert.equal(next.headers.referer, undefined, "the address of the callback went on to the page")
    })

    test("the history holds no code", async (t) => {
      const context = await browser.newContext()
      t.after(() => context.close())
      const page = await context.newPage()
      await way(page, "id")
      const passed = []
      for (let here = await address(page); here !== `${house.shop}/`; passed.push(here)) {
        await page.evaluate(() => { setTimeout(() => history.back()) })
        here = await until("the page before", async () => { const there = await address(page); return there !== here && there })
      }
      assert.ok(!passed.some((address) => /[?&]code=|\/bff\/callback/.test(address)), passed.join("\n"))
    })

    test("a form_post brings no Lax cookie, its 303 to the same address does", async (t) => {
      const context = await browser.newContext()
      t.after(() => context.close())
      const page = await context.newPage()
      const [post, get] = (await way(page, "post")).filter((r) => r.path.startsWith("/bff/callback/"))
      assert.deepEqual([post.method, get.method], ["POST", "GET"])
      assert.equal(post.headers.origin, "null") // the provider's pages say Referrer-Policy: no-referrer
      assert.deepEqual(cookies(post.headers), [])
      assert.deepEqual(cookies(get.headers), ["__Host-Http-shop-login"])
      await arrives(page, `${house.shop}/cart`)
    })
  })
}
