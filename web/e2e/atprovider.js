// What the tests of sign-in at a provider share: a provider on a site of its own, an
// API, Coatcheck in either layout with an ear before it, and two kinds of browser.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { Agent, createServer, request as ask } from "node:http"
import { Agent as SecureAgent, createServer as createTLS, request as askTLS } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { certificate } from "./certificate.js"
import { browse, browseFirefox, client, freePort, run, site, until } from "./house.js"

const program = process.env.PROVIDER ?? new URL("../../.tools/provider", import.meta.url).pathname

export const guests = {
  ada: { Subject: "p-ada", Email: "ada@id.test", Password: "first-programmer", Name: "Ada Lovelace" },
  bob: { Subject: "p-bob", Email: "bob@id.test", Password: "wrote-the-loom", Name: "Bob Noyce" },
}

const page = `<!doctype html><html lang="en"><title>page</title><h1 id="who">-</h1><script type="module" src="/page.js"></script></html>`
const script = (base) => `
import { createBff } from "/client.js"
const bff = window.bff = createBff({ base: "${base}" })
const show = () => { document.getElementById("who").textContent = bff.session.user?.name ?? bff.session.status }
bff.subscribe(show)
bff.ready.then(show)
`

/** An API that says what reached it, has an event stream, and takes orders after a second sign-in only. */
const api = (weak) => site({
  "/api/me": (request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" })
    response.end(JSON.stringify({ token: Boolean(request.headers.authorization), cookie: request.headers.cookie ?? null }))
  },
  "/api/pay": (request, response) => {
    weak ??= request.headers.authorization
    const enough = request.headers.authorization !== weak
    const demand = { "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", acr_values="gold", max_age="300"' }
    response.writeHead(enough ? 200 : 401, { "Content-Type": "application/json", ...(!enough && demand) })
    response.end(JSON.stringify({ enough }))
  },
  "/api/events": (request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" })
    const ticking = setInterval(() => response.write("event: tick\ndata: 1\n\n"), 100)
    response.on("close", () => clearInterval(ticking))
  },
})

/**
 * Stands before Coatcheck, hands everything on and notes what browsers send: method, path
 * and headers, in the order in which requests came. While hold is true, a way back from
 * the provider is not handed on, but kept in held.
 */
async function ear(port, to, tls) {
  const heard = [], held = []
  const state = { heard, held, hold: false }
  const [send, agent] = tls ? [askTLS, new SecureAgent({ rejectUnauthorized: false })] : [ask, new Agent()]
  const answer = (request, response) => {
    const { method, url: path, headers } = request
    heard.push({ method, path, headers })
    if (state.hold && path.startsWith("/bff/callback/")) { // the browser is kept waiting: nobody uses it
      held.push(path)
      return
    }
    const on = send({ host: "127.0.0.1", port: to, method, path, headers, agent, servername: "shop.coatcheck.test" }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
      answer.on("error", () => {}).on("close", () => { if (!answer.complete) response.destroy() }) // cut off there, cut off here
    })
    on.on("error", () => response.destroy())
    response.on("close", () => on.destroy())
    request.pipe(on)
  }
  const server = tls ? createTLS(tls, answer) : createServer(answer)
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve))
  return { state, stop: () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) } }
}

/** The provider, as one program, with its clients' addresses registered. */
async function provider({ issuer, port, addresses, origins, tls }) {
  const at = (paths) => addresses.flatMap((a) => paths.map((p) => `${a}/bff/${p}`))
  return run([], (log) => log.includes("ready"), { command: program, input: JSON.stringify({
    Listen: `127.0.0.1:${port}`, Issuer: issuer, ...(tls && { Cert: tls.certFile, Key: tls.keyFile, CA: tls.caFile }), People: Object.values(guests),
    Clients: [{ ID: "coatcheck", Secret: "a-secret-of-the-client", Name: "The shop", RedirectURIs: at(["callback/id", "callback/post"]),
      PostLogout: origins.map((o) => `${o}/`), BackChannel: `${addresses[0]}/bff/backchannel-logout/id` }],
  }) })
}

/**
 * Coatcheck whose frontends shop and desk sign people in at a provider, which is on
 * another site: as `id`, and as `post`, which answers by form_post. layout and scheme as
 * in house.js, spa as well; attempt is how long a person may take, par as in the configuration.
 */
export async function atProvider({ layout = "same", scheme = "http", attempt = "30m", par = "auto", spa } = {}) {
  const tls = scheme === "https" ? await certificate() : undefined
  const top = tls ? "test" : "localhost"
  const [port, inner, idPort] = [await freePort(), await freePort(), await freePort()]
  const url = (name, p = port) => `${scheme}://${name}.coatcheck.${top}:${p}`
  const issuer = `${scheme}://id.provider.${top}:${idPort}`
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-provider-"))
  const behind = await api()
  const shared = layout === "shared"
  const files = { "page.js": script(shared ? `${url("api")}/bff` : "/bff"), "client.js": client }
  const paths = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/${name}`, text]))
  const pages = shared ? await site({ "/": page, "/cart": page, ...paths }, tls) : undefined
  for (const [name, text] of Object.entries({ ...files, "index.html": page })) await writeFile(join(dir, name), text)
  const origin = (name) => url(name, pages?.port)
  const origins = [origin("shop"), origin("desk")]
  const id = await provider({ issuer, port: idPort, tls, origins, addresses: shared ? [url("api")] : origins })
  const atID = (more) => `{issuer: "${issuer}", client_id: coatcheck, client_secret: a-secret-of-the-client, scopes: [openid, profile, email, offline_access],
    attempt: ${attempt}, par: ${par}, addresses: {"id.provider.${top}": "127.0.0.1:${idPort}"}, ${tls ? `ca: ${tls.caFile}` : "insecure_http: true"}${more}}`
  const frontend = (name) => `
  ${name}:
    origins: ["${origin(name)}"]
    ${shared ? `host: "api.coatcheck.${top}:${port}"` : `spa: {dir: ${spa ?? dir}}`}
    login: {upstream: api, provider: [id, post], expose: [sub, name, email]}
    routes: [{path: /api/, upstream: api}]`
  const config = join(dir, "coatcheck.yaml")
  await writeFile(config, `
listen: "127.0.0.1:${inner}"
admin: {listen: "127.0.0.1:0"}
drain: {delay: 0s}
${tls ? `tls: {cert: ${tls.certFile}, key: ${tls.keyFile}}` : ""}
sessions: {store: "memory://", keys: ["${Buffer.alloc(32, port).toString("base64")}"]}
providers:
  id: ${atID("")}
  post: ${atID(", authorize: {response_mode: form_post}")}
upstreams: {api: {url: "http://127.0.0.1:${behind.port}"}}
frontends:${frontend("shop")}${frontend("desk")}
`)
  const own = await run(["serve", "-config", config], (log) => log.includes('"msg":"serving"'))
  const before = await ear(port, inner, tls)
  const stop = async () => {
    await Promise.all([own.stop(), id.stop(), behind.stop(), before.stop(), pages?.stop()])
    await rm(dir, { recursive: true })
  }
  const bff = (name) => shared ? url("api") : url(name)
  /** Where a page of a frontend sends its browser. */
  const login = (name, query = {}) => `${bff(name)}/bff/login?${new URLSearchParams({ frontend: name, ...query })}`
  return { shop: origin("shop"), desk: origin("desk"), bff, login, issuer, ear: before.state, heard: before.state.heard, log: own.log, stop }
}

// --- two kinds of browser, spoken to in the words that both understand

/** Firefox, which finds the tests' names and takes the tests' certificate. */
async function firefox() {
  const names = ["shop", "desk", "api"].map((n) => `${n}.coatcheck.test`).concat("id.provider.test")
  const browser = await browseFirefox({ acceptInsecureCerts: true, extraPrefsFirefox: { "network.dns.localDomains": names.join(",") } })
  const newContext = async () => {
    const context = await browser.createBrowserContext()
    return { newPage: () => context.newPage(), cookies: () => context.cookies(), close: () => context.close() }
  }
  return { newContext, close: () => browser.close() }
}

export const browsers = { Chromium: browse, Firefox: firefox }

/** What f says of the page; undefined while a navigation takes the page away. */
const look = (page, f, arg) => page.evaluate(f, arg).catch(() => undefined)

export const shows = (page, text) => until(`"${text}" on the page`, () => look(page, (t) => document.getElementById("who")?.textContent === t, text))
/** The address of the page, as it knows it itself: the driver hears of it later. */
export const address = (page) => look(page, () => location.href)
export const arrives = (page, at) => until(at, async () => (await address(page))?.startsWith(at))

/** Opens an address as a page of ours does: from itself. */
export async function leave(page, address) {
  await until("a page", () => look(page, () => document.readyState !== "loading"))
  await look(page, (a) => { setTimeout(() => location.assign(a)) }, address)
}

/** Waits until the provider asks who it is. */
export const formAtProvider = (page, house) => until("the provider's form", async () => (await address(page))?.startsWith(house.issuer) &&
  look(page, () => Boolean(document.querySelector("[name=password]"))))

/** The provider's form, filled in and sent. */
export async function enter(page, who) {
  await until("the provider's form", () => look(page, () => Boolean(document.querySelector("[name=password]"))))
  await look(page, ({ Email, Password }) => {
    document.querySelector("[name=email]").value = Email
    document.querySelector("[name=password]").value = Password
    setTimeout(() => document.querySelector("button").click())
  }, who)
}

/** Signs somebody in at the provider, from a page of a frontend that is opened for it. */
export async function signInAt(page, house, name, who) {
  await page.goto(house[name])
  await shows(page, "anonymous")
  await page.evaluate(() => { setTimeout(() => window.bff.signIn()) })
  await enter(page, who)
  await shows(page, who.Name)
}

/** Signs out as a page does, and waits until the provider has sent the browser back. */
export async function signOut(page) {
  await page.evaluate(() => { window.leaving = true; setTimeout(() => window.bff.logout()) })
  await until("the way back", () => look(page, () => !window.leaving && window.bff?.session.status === "anonymous"))
}

/** Names of the cookies that a browser keeps for a host, of ours and no other's. */
export async function cookieNames(context, address) {
  const domain = new URL(address).hostname
  return (await context.cookies()).filter((c) => c.domain === domain).map((c) => c.name).sort()
}
