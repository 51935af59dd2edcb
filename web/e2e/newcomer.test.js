// The newcomer's two minutes, step by step as the README tells them.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, test } from "node:test"
import { axe, browse, demo, inside, outside, people, press, runs, signIn, until } from "./house.js"

let house, browser
before(async () => { [house, browser] = await Promise.all([demo(), browse()]) })
after(async () => { await browser?.close(); await house?.stop() })

// Each step of the README's list, by the words that are bold there.
const steps = {
  "Sign in": async (page) => {
    await page.goto(house.shop)
    await outside(page)
    assert.equal(await page.inputValue("[name=email]"), people.ada.email, "the form is not filled in")
    await page.click("#enter")
    await inside(page)
  },
  "Three columns": async (page) => {
    await page.waitForSelector("text=A token, and no cookie")
    for (const id of ["cookies", "storage", "tab"]) assert.equal(await page.textContent(`#${id}`), "empty", id)
    assert.match(await page.textContent("#authorization"), /^Bearer \[token [0-9a-f]{8}\]$/)
    assert.equal(await page.textContent("#cookie-arrived"), "none")
    // The session's name is the one that the log has.
    await press(page, "read")
    const name = await page.textContent("#handle")
    assert.match(name, /^[0-9a-f]{16}$/)
    await until("that name in the log", () => house.log().includes(`"session":"${name}"`))
  },
  "Expire the token": async (page) => {
    await press(page, "expire")
    await page.waitForSelector("#strip >> text=8 calls in · 1 refresh · 8 out")
    assert.equal(await page.textContent("#refreshed"), "once")
  },
  "Run the thief’s script": async (page) => {
    await page.click("#thief")
    await page.waitForSelector("text=8 places, nothing")
  },
  "Programs call, too": async (page) => {
    for (const [name, words] of [["read", "200, 9 more at once"], ["ring", "204, once"], ["hurry", "too_many_requests"], ["page", "403 key_in_browser"]]) {
      await page.click(`[data-program=${name}]`)
      await page.waitForSelector(`#program-strip >> text=${words}`)
    }
    await page.waitForSelector("#arrivals >> text=call.ringing from +44 20 7946 0000")
  },
  "The attacker": async (page) => {
    await page.click("#to-evil")
    await page.click("#attack")
    await page.waitForSelector("text=16 tries, 16 refused")
    await page.click("#still")
    await page.waitForSelector("text=Ada Lovelace")
  },
  "The back office": async (page) => {
    await page.click("#to-other")
    await page.waitForURL(`${house.admin}/`)
    await outside(page)
    await page.click("#leave")
    await page.waitForURL(/^http:\/\/id\.porter\.localhost:/)
    await page.click("main form button")
    await page.waitForSelector("text=Radia Perlman")
    await page.waitForSelector("#strip >> text=token: the code, and its verifier")
    await page.click("#to-other")
    await page.waitForSelector("text=Ada Lovelace")
  },
  "End my session elsewhere": async (page) => {
    await press(page, "elsewhere")
    await outside(page)
    await page.waitForSelector("#notice >> text=revoked")
    await page.goto(house.admin)
    await page.waitForSelector("text=Radia Perlman")
  },
}

test("the newcomer's two minutes", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8")
  const told = readme.split("## Two minutes")[1]?.split("\n## ")[0] ?? ""
  const names = [...told.matchAll(/^\d\. \*\*(.+?)\.?\*\*/gm)].map((m) => m[1])
  assert.deepEqual(names, Object.keys(steps), "the README tells other steps")
  const context = await browser.newContext()
  const page = await context.newPage()
  for (const name of names) await steps[name](page)
  await context.close()
})

test("every button does what it says", async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await signIn(page, people.ada)
  const drawn = { read: "GET /api/notes", write: "POST /api/notes", error: "GET /api/error/418", forge: "403 csrf_header_missing",
    upload: "4 MB arrived", socket: "what was said", events: "event 5 of 5" }
  for (const [name, words] of Object.entries(drawn)) {
    await press(page, name)
    await page.waitForSelector(`#strip >> text=${words}`)
  }
  assert.match(await page.textContent("#strip"), /token [0-9a-f]{8}, no cookie/)
  // A second "expire" within the minute is refused by the API, and told.
  await press(page, "expire")
  await press(page, "expire")
  await page.waitForSelector("#strip >> text=429")
  await page.click("#sessions")
  await page.locator("#list li", { hasText: "This one" }).getByRole("button").click()
  await outside(page)
  await context.close()
})

test("sign-ins that are refused, and one with a second factor", async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  const attempt = async (email, password) => {
    await page.fill("[name=email]", email)
    await page.fill("[name=password]", password)
    await page.click("#enter")
  }
  await attempt(people.ada.email, "wrong")
  await page.waitForSelector("#refusal >> text=invalid_credentials")
  await attempt("locked@shop.example", "lost-my-key")
  await page.waitForSelector("#refusal >> text=account_locked")
  await page.getByRole("button", { name: "Grace + code" }).click()
  await page.click("#enter")
  await page.waitForSelector("#second:not([hidden])")
  assert.equal(await page.evaluate(() => document.activeElement.name), "otp")
  await page.fill("[name=otp]", "000000")
  await page.click("#enter")
  await page.waitForSelector("#refusal >> text=mfa_required")
  await page.fill("[name=otp]", "123456")
  await page.keyboard.press("Enter")
  await page.waitForSelector("text=Grace Hopper")
  await context.close()
})

test("by keyboard alone", async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(house.shop)
  await outside(page)
  const tabTo = async (id) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab")
      if (await page.evaluate(() => document.activeElement.id || document.activeElement.dataset.call) === id) return
    }
    throw new Error(`Tab does not reach ${id}`)
  }
  await tabTo("enter")
  await page.keyboard.press("Enter")
  await inside(page)
  assert.equal(await page.evaluate(() => document.activeElement.id), "c1", "the focus is lost")
  await tabTo("read")
  await page.keyboard.press("Space")
  await page.waitForSelector("#strip >> text=GET /api/notes")
  await context.close()
})

test("nobody is shut out: light and dark, wide and narrow", async () => {
  const source = await axe()
  await Promise.all(["light", "dark"].flatMap((colorScheme) => [1200, 360].map(async (width) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" })
    const page = await context.newPage()
    const check = async (where) => {
      const found = await page.evaluate(`${source}; axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes.map((n) => n.target)))`)
      assert.deepEqual(found, [], `${where}, ${colorScheme}, ${width}`)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} is wider than ${width}`)
    }
    await page.goto(house.shop)
    await outside(page)
    await check("door")
    await signIn(page, people.ada)
    for (const name of ["read", "forge", "error", "expire"]) await press(page, name)
    await page.waitForSelector("#programs:not([hidden])")
    for (const name of ["read", "ring", "hurry", "page"]) await runs(page, name)
    await page.waitForSelector("#arrivals li")
    await page.click("#thief")
    await page.waitForSelector("text=8 places, nothing")
    await check("inside")
    await page.goto(house.evil)
    await page.waitForSelector("#attack:not([disabled])")
    await check("attacker, before")
    await page.click("#attack")
    await page.waitForSelector("#score:not(:empty)")
    await check("attacker")
    await context.close()
  })))
})
