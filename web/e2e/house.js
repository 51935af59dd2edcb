// What the browser tests share: the built program, a browser, two layouts, bystanders.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { createServer as createTLS } from "node:https"
import { connect, createServer as listen } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium } from "playwright-core"
import puppeteer from "puppeteer-core"
import { certificate } from "./certificate.js"

const program = process.env.COATCHECK ?? new URL("../../coatcheck", import.meta.url).pathname
export const client = readFileSync(new URL("../client/client.js", import.meta.url))
const built = new URL("../demo/dist/pages", import.meta.url).pathname

export const people = {
  ada: { email: "ada@shop.example", password: "engine-number-one" },
  grace: { email: "grace@shop.example", password: "ship-in-harbour" },
  radia: { email: "radia@admin.example", password: "spanning-tree" },
}

// How long what must happen may take: only what never happens may fail, however busy
// the machine is.
export const patience = 120_000

/** Waits until f is true; the one place where a test polls. */
export async function until(what, f) {
  for (const end = Date.now() + patience; ;) {
    const value = await f()
    if (value) return value
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Starts the program; resolves when `ready` is true of its log. stop ends it. */
export async function run(args, ready, { env = {}, command = program, input = "" } = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  child.stdin.end(input)
  let log = "", gone = false
  child.stdout.on("data", (b) => { log += b })
  child.stderr.on("data", (b) => { log += b })
  const ended = new Promise((resolve) => child.on("exit", () => { gone = true; resolve() }))
  await until(`${command} ${args.join(" ")}`, () => {
    if (gone) throw new Error(`${command} ended:\n${log}`)
    return ready(log)
  })
  return { log: () => log, stop: async () => { child.kill("SIGKILL"); await ended } }
}

/**
 * A port of 127.0.0.1 for a program that has to be told its number. It is kept for as
 * long as this process lives: one connection that was accepted there stays open, and so
 * the kernel gives the number to nobody who asks for any port, while a program that
 * names it may listen there (SO_REUSEADDR). bff/freeport does the same.
 */
export async function freePort() {
  const server = listen()
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address()
  const accepted = new Promise((resolve) => server.once("connection", resolve))
  for (const socket of [connect(port, "127.0.0.1"), await accepted]) socket.unref().on("error", () => {})
  server.close()
  return port
}

/** The demo, with the addresses of its pages. */
export async function demo() {
  const port = await freePort()
  const d = await run(["demo", "-listen", `127.0.0.1:${port}`], (log) => log.includes("Ctrl-C"))
  const at = (name) => `http://${name}.coatcheck.localhost:${port}`
  return { ...d, port, shop: at("shop"), admin: at("admin"), evil: at("evil"), lodge: `http://id.porter.localhost:${port}/`, api: /http:\/\/127\.0\.0\.1:\d+/.exec(d.log())[0] }
}

/** A server that ends no idle connection: Coatcheck's next POST could go out at that moment, and it sends no POST twice. */
export const lasting = { keepAliveTimeout: 0 }

/** Serves pages from memory: texts, or functions of the request. */
export async function site(pages, tls) {
  const answer = (request, response) => {
    const page = pages[new URL(request.url, "http://x").pathname]
    if (typeof page === "function") return page(request, response)
    const script = request.url.endsWith(".js")
    response.writeHead(page === undefined ? 404 : 200, { "Content-Type": script ? "text/javascript" : "text/html" })
    response.end(page ?? "")
  }
  const server = tls ? createTLS({ ...lasting, ...tls }, answer) : createServer(lasting, answer)
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { port: server.address().port, stop: () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) } }
}

/** A browser: the one that run.js started for all files, or else one of our own. */
export async function browse() {
  const browser = process.env.E2E_BROWSER ? await chromium.connect(process.env.E2E_BROWSER)
    : await chromium.launch({ ...flags(await certificate()), timeout: patience })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(patience)
    return context
  }
  return browser
}

/** Firefox, driven by WebDriver BiDi, with the same patience. */
export async function browseFirefox(options) {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true,
    timeout: patience, protocolTimeout: patience, ...options })
  const patient = (opener) => {
    const newPage = opener.newPage.bind(opener)
    opener.newPage = async () => {
      const page = await newPage()
      page.setDefaultTimeout(patience)
      return page
    }
    return opener
  }
  const createBrowserContext = browser.createBrowserContext.bind(browser)
  browser.createBrowserContext = async () => patient(await createBrowserContext())
  return patient(browser)
}

export const flags = ({ pin }) => ({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Playwright switches the back/forward cache off, which is what sign-out must survive.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.test 127.0.0.1",
    `--ignore-certificate-errors-spki-list=${pin}`],
})

/** What all API mappings of these tests say. */
const mapping = (api) => `
upstreams:
  api:
    url: ${api}
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user, subject: /id}
    refresh: {request: {path: /auth/refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401]}
    logout: {request: {path: /auth/logout, body: {refresh_token: "{refresh_token}"}}}
`

const page = `<!doctype html><html lang="en"><title>page</title><h1 id="who">-</h1><script type="module" src="/page.js"></script></html>`
const script = (base) => `
import { createBff } from "/client.js"
const bff = window.bff = createBff({ base: "${base}" })
const show = () => { document.getElementById("who").textContent = bff.session.user?.name ?? bff.session.status }
bff.subscribe(show)
bff.ready.then(show)
`

/**
 * Coatcheck before the demo's API, configured as o says: layout "same" (pages and
 * calls on one host) or "shared" (two frontends calling one host), over http on
 * *.coatcheck.localhost or over https on *.coatcheck.test; its pages are in the folder
 * spa, those of the demo by default. What is below /hold/ goes to the API at hold, if
 * one is named.
 */
export async function world(o) {
  const { layout = "same", scheme = "http", sameSite = "strict", sessions = "", spa = built, hold } = o
  const behind = await demo()
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-e2e-"))
  const tls = scheme === "https" ? await certificate() : undefined
  const domain = tls ? "coatcheck.test" : "coatcheck.localhost"
  const port = await freePort()
  const url = (name, p = port) => `${scheme}://${name}.${domain}:${p}`
  const pages = layout === "shared" ? await site({ "/": page, "/page.js": script(`${url("api")}/bff`), "/client.js": client }, tls) : undefined
  const origin = (name) => url(name, pages?.port)
  const frontend = (name) => `
  ${name}:
    origins: ["${origin(name)}"]
    ${pages ? `host: api.${domain}` : `spa: {dir: ${spa}}`}
    cookie: {same_site: ${sameSite}}
    login: {upstream: api, fields: [email, password], expose: [id, email, name]}
    routes: [{path: /api/, upstream: api, websocket: true}${hold ? ", {path: /hold/, upstream: hold, max_body: 0}" : ""}]`
  const config = join(dir, "coatcheck.yaml")
  await writeFile(config, `
listen: "127.0.0.1:${port}"
admin: {listen: "127.0.0.1:0"}
drain: {delay: 0s}
${tls ? `tls: {cert: ${tls.certFile}, key: ${tls.keyFile}}` : ""}
sessions: {store: "memory://", keys: ["${Buffer.alloc(32, port).toString("base64")}"]${sessions && `, ${sessions}`}}
${mapping(behind.api)}${hold ? `  hold: {url: ${hold}}` : ""}
frontends:${frontend("shop")}${frontend("admin")}
`)
  const own = await run(["serve", "-config", config], (log) => log.includes('"msg":"serving"'))
  const stop = async () => {
    await Promise.all([own.stop(), behind.stop(), pages?.stop()])
    await rm(dir, { recursive: true })
  }
  return { shop: origin("shop"), admin: origin("admin"), host: layout === "shared" ? url("api") : url("shop"), log: own.log, stop }
}

/** Signs in at a page of the demo, which is open already. */
export async function signIn(page, person) {
  await page.fill("[name=email]", person.email)
  await page.fill("[name=password]", person.password)
  await page.click("#enter")
  await inside(page)
}

/** Signs in at the back office: at the provider's page, whose form is filled in for Radia. */
export async function signInAtLodge(page, house) {
  await page.goto(house.admin)
  await page.click("#leave")
  await page.waitForURL(/^http:\/\/id\.porter\.localhost:/)
  await page.click("main form button")
  await inside(page)
}

export const inside = (page) => page.waitForSelector("#inside:not([hidden])")
export const outside = (page) => page.waitForSelector("#door:not([hidden])")

/** Presses one of the demo's buttons and waits until it is done. */
export async function press(page, name) {
  await page.click(`[data-call=${name}]`)
  await page.waitForSelector(`[data-call=${name}]:not([disabled])`, { state: "attached" })
}

/** Sets one of the demo's programs going, and waits until it is done. */
export async function runs(page, name) {
  await page.click(`[data-program=${name}]`)
  await page.waitForSelector(`[data-program=${name}]:not([disabled])`, { state: "attached" })
}

/** The cookies as the browser keeps them, by the DevTools protocol. */
export async function kept(context, page, url) {
  const devtools = await context.newCDPSession(page)
  const { cookies } = await devtools.send("Network.getCookies", { urls: [url] })
  await devtools.detach()
  return cookies
}

/** Notes all that a page's script, network panel or console could show. */
export function eavesdrop(context) {
  const heard = []
  context.on("response", async (response) => {
    // Headers as scripts see them: Set-Cookie and Cookie are not among them.
    heard.push(response.url(), JSON.stringify(response.headers()), await response.text().catch(() => ""))
  })
  context.on("console", (message) => heard.push(message.text()))
  context.on("weberror", (error) => heard.push(String(error.error())))
  return heard
}

export const axe = () => readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8")
