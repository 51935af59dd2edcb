// A link in a mail: another site, so that a Strict cookie stays away at first.
import assert from "node:assert/strict"
import { test } from "node:test"
import { certificate } from "./certificate.js"
import { browse, inside, people, signIn, site, world } from "./house.js"

for (const scheme of ["http", "https"]) {
  for (const sameSite of ["strict", "lax"]) {
    test(`a link from a mail, over ${scheme}, SameSite=${sameSite}`, async (t) => {
      const [house, browser] = await Promise.all([world({ scheme, sameSite }), browse()])
      const mail = await site({ "/": `<!doctype html><a id="link" href="${house.shop}/">your order</a>` }, scheme === "https" ? await certificate() : undefined)
      t.after(async () => { await browser.close(); await Promise.all([house.stop(), mail.stop()]) })
      const context = await browser.newContext()
      const page = await context.newPage()
      await page.goto(house.shop)
      await signIn(page, people.ada)
      await page.goto(scheme === "https" ? `https://www.mail.test:${mail.port}/` : `http://www.mail.localhost:${mail.port}/`)
      const asked = page.waitForResponse((r) => r.url() === `${house.shop}/`)
      await page.click("#link")
      const answer = await asked
      // Strict: the page comes without the session, asks for itself, and has it. Lax: it comes with it.
      await inside(page)
      assert.equal((await answer.text()).includes('id="bff-session"'), sameSite === "lax")
      assert.equal(await page.textContent("#who"), "Ada Lovelace")
      await context.close()
    })
  }
}
