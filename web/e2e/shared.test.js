// Two people at once on one shared host, whose cookies lie in one jar.
import assert from "node:assert/strict"
import { test } from "node:test"
import { browse, kept, people, world } from "./house.js"

for (const scheme of ["http", "https"]) {
  for (const sameSite of ["strict", "lax"]) {
    test(`shared host, over ${scheme}, SameSite=${sameSite}`, async (t) => {
      const [house, browser] = await Promise.all([world({ layout: "shared", scheme, sameSite }), browse()])
      t.after(async () => { await browser.close(); await house.stop() })
      const context = await browser.newContext()
      const shop = await context.newPage(), admin = await context.newPage(), again = await context.newPage()
      const shows = (page, who) => page.waitForSelector(`#who >> text="${who}"`)
      const name = (page) => page.evaluate((host) => window.bff.json(`${host}/api/me`).then((me) => me.name), house.host)
      await shop.goto(house.shop)
      await admin.goto(house.admin)
      await shows(shop, "anonymous")

      // Interleaved: each sign-in, call and prolongation between two of the other's.
      await shop.evaluate((who) => window.bff.login(who), people.ada)
      await shows(admin, "anonymous")
      await admin.evaluate((who) => window.bff.login(who), people.radia)
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(await Promise.all([name(shop), name(admin)]), ["Ada Lovelace", "Radia Perlman"])
        await shop.evaluate(() => window.bff.extend())
        await admin.evaluate((host) => window.bff.json(`${host}/api/notes`, { json: { text: "mine" } }), house.host)
      }
      await again.goto(house.shop)
      await shows(again, "Ada Lovelace")
      assert.deepEqual(await shop.evaluate((host) => window.bff.json(`${host}/api/notes`), house.host), { notes: [] }, "one sees the other's notes")

      // The cookies, as the browser keeps them for the one host.
      const cookies = await kept(context, shop, house.host)
      const domain = new URL(house.host).hostname
      assert.deepEqual(cookies.map(({ name, domain, path, secure, httpOnly, sameSite, session }) => ({ name, domain, path, secure, httpOnly, sameSite, session }))
        .sort((a, b) => a.name.localeCompare(b.name)),
      ["admin", "shop"].map((f) => ({ name: `__Host-Http-${f}`, domain, path: "/", secure: true, httpOnly: true,
        sameSite: sameSite === "strict" ? "Strict" : "Lax", session: true })))
      for (const page of [shop, admin]) assert.equal(await page.evaluate(() => document.cookie), "")

      // One leaves, in both tabs; the other stays, also after a reload.
      await shop.evaluate(() => window.bff.logout())
      await shows(again, "anonymous")
      await admin.reload()
      await shows(admin, "Radia Perlman")
      assert.equal(await name(admin), "Radia Perlman")
      assert.deepEqual((await kept(context, shop, house.host)).map((c) => c.name), ["__Host-Http-admin"])
      await shop.reload()
      await shows(shop, "anonymous")
      await context.close()
    })
  }
}
