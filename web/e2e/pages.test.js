// Answers that are opened as documents, and cookies that are too many.
import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { axe, browse, browseFirefox, freePort, lasting, run, until } from "./house.js"

/** An API that lets everybody in and answers GET /api/PATH with the headers of `says`. */
async function api() {
  const seen = []
  const says = {
    "/api/plain": {}, "/api/tagged": { ETag: '"1"' }, "/api/kept": { "Cache-Control": "max-age=600" }, "/api/stale": { "Cache-Control": "max-age=0, stale-while-revalidate=600", ETag: '"1"' },
  }
  const server = createServer(lasting, (request, response) => {
    const path = request.url.split("?")[0]
    if (path === "/auth/login") {
      response.writeHead(200, { "Content-Type": "application/json" })
      return response.end(JSON.stringify({ access_token: "token-of-the-api", user: { id: "1", name: "Ada" } }))
    }
    seen.push(path)
    const headers = { "Content-Type": path.endsWith(".json") ? "application/json" : "text/html", ...says[path.replace(".json", "")] }
    if (headers.ETag && request.headers["if-none-match"] === headers.ETag) return response.writeHead(304, headers).end()
    response.writeHead(200, headers)
    response.end(path.endsWith(".json") ? '{"secret":"of Ada"}' : "<!doctype html><title>secret</title><p>secret of Ada")
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, seen, stop: () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) } }
}

/** Coatcheck with two frontends that are siblings, and pages of its own. */
async function house() {
  const [behind, dir, port] = [await api(), await mkdtemp(join(tmpdir(), "coatcheck-pages-")), await freePort()]
  await writeFile(join(dir, "index.html"), '<!doctype html><html lang="en"><head><title>shop</title></head><body><h1>The shop</h1></body></html>')
  const url = (name) => `http://${name}.coatcheck.localhost:${port}`
  const frontend = (name) => `
  ${name}:
    origins: ["${url(name)}"]
    spa: {dir: ${dir}}
    login: {upstream: api, fields: [email, password], expose: [id, name]}
    routes: [{path: /api/, upstream: api}]`
  await writeFile(join(dir, "coatcheck.yaml"), `
listen: "127.0.0.1:${port}"
admin: {listen: "127.0.0.1:0"}
sessions: {store: "memory://", keys: ["${Buffer.alloc(32, port).toString("base64")}"]}
upstreams:
  api:
    url: ${behind.url}
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /access_token}
      user: {from: response, at: /user, subject: /id}
frontends:${frontend("shop")}${frontend("admin")}
`)
  const own = await run(["serve", "-config", join(dir, "coatcheck.yaml")], (log) => log.includes('"msg":"serving"'))
  const stop = async () => { await Promise.all([own.stop(), behind.stop()]); await rm(dir, { recursive: true }) }
  return { shop: url("shop"), admin: url("admin"), seen: behind.seen, log: own.log, stop }
}

let h, browser
before(async () => { [h, browser] = await Promise.all([house(), browse()]) })
after(async () => { await browser?.close(); await h?.stop() })

const post = (page, path, body) => page.evaluate(async ([path, body]) => (await fetch(path, { method: "POST",
  headers: { "X-CSRF": "1", "Content-Type": "application/json" }, body: body && JSON.stringify(body) })).status, [path, body])

/** A page of origin with somebody signed in there. */
async function signedIn(context, origin) {
  const page = await context.newPage()
  await page.goto(origin)
  assert.equal(await post(page, "/bff/login", { email: "ada@x.test", password: "x" }), 200)
  return page
}

/** Goes back and waits until the document is shown again, or asked for anew. */
async function back(page, url) {
  await page.evaluate(() => { setTimeout(() => history.back()) }) // later: this page ends with it, and the call here must not
  await until(url, () => page.url() === url)
  await page.waitForLoadState("load")
}

test("the back button shows no answer of the API after sign-out", async (t) => {
  for (const path of ["/api/plain", "/api/plain.json", "/api/tagged", "/api/kept", "/bff/sessions"]) {
    for (const fetched of [false, true]) {
      await t.test(`${path}${fetched ? ", fetched before" : ""}`, async () => {
        const context = await browser.newContext()
        const page = await signedIn(context, h.shop)
        if (fetched) assert.equal(await page.evaluate(async (path) => (await fetch(path)).status, path), 200)
        const document = await context.newPage()
        await document.goto(h.shop + path)
        assert.match(await document.content(), /of Ada|created_at/)
        await document.goto("about:blank")
        assert.equal(await post(page, "/bff/logout"), 204)
        await back(document, h.shop + path)
        assert.doesNotMatch(await document.content(), /of Ada|created_at/)
        await context.close()
      })
    }
  }
})

/** Plants so many cookies for the whole domain that no request to it fits any more. */
const bomb = (page) => page.evaluate(() => {
  for (let i = 0; i < 20; i++) document.cookie = `bomb${i}=${"x".repeat(2000)}; Domain=coatcheck.localhost; Path=/`
})
/** How many of them the browser keeps. It may store a script's cookies behind the script's back. */
const planted = async (context) => (await context.cookies()).filter((c) => c.name.startsWith("bomb")).length

/** A tab at origin, a sibling of the shop, that has just planted them. Its own page was loaded before. */
async function sibling(context) {
  const page = await context.newPage()
  await page.goto(h.admin)
  await bomb(page)
  await until("twenty cookies", async () => await planted(context) === 20)
  return page
}

test("too many cookies: a page says so, and its button deletes them", async () => {
  const context = await browser.newContext()
  const open = await signedIn(context, h.shop)
  await sibling(context)
  const called = await open.evaluate(async () => { const r = await fetch("/api/plain.json"); return [r.status, r.headers.get("Coatcheck-Error"), (await r.json()).code] })
  assert.deepEqual(called, [431, "headers_too_large", "headers_too_large"])

  const page = await context.newPage()
  const answer = await page.goto(`${h.shop}/orders/5?sort=price`)
  assert.equal(answer.status(), 431)
  assert.equal(answer.headers()["set-cookie"] ?? answer.headers()["clear-site-data"], undefined)
  await page.addScriptTag({ content: "window.ran = 1" }).catch(() => {})
  assert.equal(await page.evaluate(() => window.ran), undefined, "a script ran in the page")
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme })
    if (process.env.E2E_PICTURES) await page.screenshot({ path: join(process.env.E2E_PICTURES, `cookies-${scheme}.png`) })
    await page.evaluate(await axe())
    const { violations } = await page.evaluate(() => window.axe.run())
    assert.deepEqual(violations.map((v) => v.id), [], scheme)
  }
  await page.click("text=Delete the cookies")
  await page.waitForSelector("text=The shop")
  assert.equal(new URL(page.url()).pathname, "/orders/5")
  assert.equal(await planted(context), 0)
  await context.close()
})

test("too many cookies: nobody presses the button for the person", async () => {
  const context = await browser.newContext()
  await signedIn(context, h.shop)
  const evil = await sibling(context)
  const form = (target, action) => evil.evaluate(([target, action]) => {
    const f = document.createElement("form")
    Object.assign(f, { method: "post", action, target })
    document.body.append(f)
    f.submit()
  }, [target, action])
  const button = `${h.shop}/?coatcheck-delete-cookies`
  await evil.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {}), button)
  await evil.evaluate(() => { const f = document.createElement("iframe"); f.name = "frame"; document.body.append(f) })
  await form("frame", button)
  const [popup] = await Promise.all([context.waitForEvent("page"), form("_blank", button)])
  await popup.waitForSelector("text=too many cookies") // it got the page with the button, and no more
  const link = await context.newPage()
  await link.goto(button) // a link is no POST
  await link.waitForSelector("text=too many cookies")
  assert.equal(await planted(context), 20)

  // Without too many cookies there is no such address.
  await context.clearCookies()
  const page = await signedIn(context, h.shop)
  const before = (await context.cookies()).length
  await page.evaluate(() => { const f = document.createElement("form"); Object.assign(f, { method: "post", action: "?coatcheck-delete-cookies", id: "f" }); document.body.append(f) })
  await Promise.all([page.waitForNavigation(), page.evaluate(() => document.getElementById("f").submit())])
  assert.equal((await context.cookies()).length, before)
  await context.close()
})

test("too many cookies: Firefox gets a page without a button that would not help", async () => {
  const firefox = await browseFirefox()
  const context = await firefox.createBrowserContext()
  const evil = await context.newPage(), page = await context.newPage()
  await evil.goto(h.admin)
  await bomb(evil)
  await until("twenty cookies", async () => await planted(context) === 20)
  const answer = await page.goto(`${h.shop}/orders/5`)
  assert.equal(answer.status(), 431)
  const shown = await page.evaluate(() => [document.body.innerText, document.forms.length])
  assert.match(shown[0], /too many cookies[^]*in the settings of your browser/)
  assert.equal(shown[1], 0)
  await context.close()
  await firefox.close()
})
