// What an attacker does with the way there and back, in real browsers.
import assert from "node:assert/strict"
import { once } from "node:events"
import { get } from "node:http"
import { after, before, describe, test } from "node:test"
import { atProvider, browsers, cookieNames, enter, formAtProvider, guests, shows, signInAt } from "./atprovider.js"
import { eavesdrop, until } from "./house.js"

/** Sends a callback once more, as a program that has got hold of it and of the browser's cookie. */
async function replay(origin, path, cookie) {
  const { host, port } = new URL(origin)
  const request = get({ host: "127.0.0.1", port, path, headers: { Host: host, Cookie: cookie, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" } })
  const [answer] = await once(request, "response")
  answer.resume()
  return answer
}

for (const [kind, open] of Object.entries(browsers)) describe(kind, () => {
  let browser, house
  before(async () => { [browser, house] = await Promise.all([open(), atProvider()]) })
  after(async () => { await browser?.close(); await house?.stop() })
  const fresh = async (t) => {
    const context = await browser.newContext()
    t.after(() => context.close())
    return context
  }

  /** The way back of a sign-in of Bob's, which his browser never went: he keeps the address for others. */
  const kept = async (t) => {
    const page = await (await fresh(t)).newPage()
    await page.goto(house.login("shop")).catch(() => {})
    await formAtProvider(page, house)
    house.ear.hold = true
    await enter(page, guests.bob)
    return until("the way back", () => house.ear.held.shift()).finally(() => { house.ear.hold = false })
  }

  test("my callback in your browser signs you in as nobody, and not as me", async (t) => {
    const callback = await kept(t)
    const context = await fresh(t), victim = await context.newPage()
    await victim.goto(house.shop + callback).catch(() => {})
    await formAtProvider(victim, house) // begun anew, with an attempt of the victim's own
    assert.deepEqual(await cookieNames(context, house.shop), ["__Host-Http-shop-login"])
    await enter(victim, guests.ada)
    await shows(victim, guests.ada.Name)
  })

  test("my callback in your browser does not sign you out, and not over to me", async (t) => {
    const callback = await kept(t)
    const victim = await (await fresh(t)).newPage()
    await signInAt(victim, house, "shop", guests.ada)
    await victim.goto(house.shop + callback).catch(() => {}) // by way of the provider, which knows her
    await shows(victim, guests.ada.Name)
  })

  test("a callback that was used before gives nobody a session", async (t) => {
    const context = await fresh(t), page = await context.newPage()
    await signInAt(page, house, "shop", guests.ada)
    const sessions = () => page.evaluate(() => window.bff.json("/bff/sessions")).then((list) => list.length)
    const were = await sessions()
    const { path, headers } = house.heard.findLast((r) => r.path.startsWith("/bff/callback/id?code="))
    const again = await replay(house.shop, path, headers.cookie)
    assert.equal(again.statusCode, 200) // quietly on, as for the back button
    assert.equal(again.headers["set-cookie"], undefined)
    await page.goto(house.shop + path).catch(() => {})
    await shows(page, guests.ada.Name)
    assert.equal(await sessions(), were)
  })

  test("a stolen code is nothing without its verifier, even with the client's secret", async (t) => {
    const callback = new URL(await kept(t), house.shop)
    const redeem = (verifier) => fetch(`${house.issuer.replace(/\/\/[^:]+/, "//127.0.0.1")}/token`, { method: "POST",
      headers: { Authorization: `Basic ${btoa("coatcheck:a-secret-of-the-client")}` },
      body: new URLSearchParams({ grant_type: "authorization_code", code: callback.searchParams.get("code"),
        redirect_uri: house.shop + callback.pathname, ...(verifier && { code_verifier: verifier }) }) })
    for (const verifier of [undefined, "x".repeat(43), callback.searchParams.get("state")]) {
      const answer = await redeem(verifier)
      assert.equal(answer.status, 400)
      assert.equal((await answer.json()).error, "invalid_grant")
    }
  })

  if (kind === "Chromium") test("no script, console or storage of a page ever held code, state or token", async (t) => {
    const context = await fresh(t)
    const heard = eavesdrop(context)
    const page = await context.newPage()
    await signInAt(page, house, "shop", guests.ada)
    const { path } = house.heard.findLast((r) => r.path.startsWith("/bff/callback/id?code="))
    const secrets = ["code", "state"].map((n) => new URL(path, house.shop).searchParams.get(n))
    const seen = await page.evaluate(() => JSON.stringify([document.documentElement.outerHTML, document.cookie, document.referrer, location.href, { ...localStorage }, { ...sessionStorage },
      performance.getEntries().map((e) => e.name), history.state]))
    for (const secret of secrets) assert.ok(!seen.includes(secret), "it is in the page")
    assert.doesNotMatch(heard.filter((text) => !/^https?:/.test(text) && !text.includes('"location"')).join("\n"), /id_token|eyJ[\w-]+\.eyJ/)
  })
})
