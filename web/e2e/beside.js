// Twelve tabs of one browser sign in at once, at Coatcheck and at oauth2-proxy, each with
// a provider of its own: how many of them end signed in, and what the browser carries then.
// `make beside` runs it.
import { address, atProvider, enter, formAtProvider, guests } from "./atprovider.js"
import { browse, freePort, run, site, until } from "./house.js"

const peer = process.env.OAUTH2_PROXY ?? new URL("../../.tools/oauth2-proxy", import.meta.url).pathname
const provider = process.env.PROVIDER ?? new URL("../../.tools/provider", import.meta.url).pathname
const tabs = 12


/** oauth2-proxy before a page, with PKCE, and its own provider. */
async function oauth2Proxy(...more) {
  const [port, idPort] = [await freePort(), await freePort()]
  const issuer = `http://localhost:${idPort}`, host = `http://shop.peer.localhost:${port}`
  const page = await site({ "/": `<!doctype html><title>in</title><h1 id="who">in</h1>` })
  const id = await run([], (log) => log.includes("ready"), { command: provider, input: JSON.stringify({
    Listen: `127.0.0.1:${idPort}`, Issuer: issuer, People: Object.values(guests),
    Clients: [{ ID: "peer", Secret: "a-secret-of-the-client", Name: "The shop", RedirectURIs: [`${host}/oauth2/callback`] }] }) })
  const own = await run(["--provider=oidc", `--oidc-issuer-url=${issuer}`, "--client-id=peer", "--client-secret=a-secret-of-the-client",
    `--redirect-url=${host}/oauth2/callback`, "--scope=openid profile email", "--code-challenge-method=S256", "--email-domain=*", "--skip-provider-button",
    `--cookie-secret=${"0123456789abcdef".repeat(2)}`, "--cookie-secure=false", `--upstream=http://127.0.0.1:${page.port}/`,
    `--http-address=127.0.0.1:${port}`, ...more], () => fetch(`http://127.0.0.1:${port}/ping`).then((a) => a.ok, () => false), { command: peer })
  return { issuer, host, start: `${host}/`, stop: () => Promise.all([own.stop(), id.stop(), page.stop()]) }
}

async function coatcheck() {
  const house = await atProvider()
  return { issuer: house.issuer, host: house.shop, start: house.login("shop", { return_to: "/" }), stop: house.stop }
}

/** What became of a tab: "in", or what else stands there once it has come to rest. */
async function outcome(tab, house) {
  const at = await address(tab) ?? ""
  if (!at.startsWith(house.host)) return undefined
  const text = await tab.evaluate(() => document.readyState === "complete" && (document.getElementById("who")?.textContent ?? `refused: ${document.title}`)).catch(() => "")
  return text && text !== "-" && text !== "loading" && text !== "One moment" ? text : undefined
}

async function twelve(name, house, browser) {
  const context = await browser.newContext()
  try {
    const all = await Promise.all(Array.from({ length: tabs }, () => context.newPage()))
    await Promise.all(all.map((tab) => tab.goto(house.start).catch(() => {})))
    for (const tab of all) await formAtProvider(tab, house)
    const carried = size(await context.cookies(house.host))
    await Promise.all(all.map((tab) => enter(tab, guests.ada)))
    const ends = []
    for (const tab of all) await until("the tab's end", async () => { const end = await outcome(tab, house); if (end) ends.push(end); return end })
    const good = ends.filter((end) => end === "in" || end === guests.ada.Name).length
    const after = size(await context.cookies(house.host))
    console.log(`| ${name} | ${good} of ${tabs} | ${carried.count}, ${carried.bytes} bytes | ${after.count}, ${after.bytes} bytes |`)
    for (const end of new Set(ends.filter((end) => end.startsWith("refused")))) console.error(`  ${name}: ${end}`)
    return good
  } finally {
    await context.close()
  }
}

const size = (cookies) => ({ count: cookies.length, bytes: cookies.map((c) => `${c.name}=${c.value}`).join("; ").length })

const browser = await browse()
console.log("| | tabs that end signed in | cookies on the way | cookies afterwards |\n|---|---|---|---|")
let own = 0
try {
  for (const [name, make] of Object.entries({
    "Coatcheck": coatcheck,
    "oauth2-proxy": () => oauth2Proxy(),
    "oauth2-proxy, `--cookie-csrf-per-request`": () => oauth2Proxy("--cookie-csrf-per-request"),
  })) {
    const house = await make()
    try {
      const good = await twelve(name, house, browser)
      if (name === "Coatcheck") own = good
    } finally {
      await house.stop()
    }
  }
} finally {
  await browser.close()
}
process.exit(own === tabs ? 0 : 1)
