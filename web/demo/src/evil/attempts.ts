// What a page on the same site can try against the shop. Each way back is what the
// attacker got hold of; "" is nothing.
import { make } from "../dom"

export type Attempt = {
  name: string
  says: string
  /** What it takes where nobody refuses it, and from whom. */
  loot: string
  /** Why it is refused here. */
  why: string
  /** The call that Coatcheck's log is searched for. */
  method?: string
  path?: string
  /** What the page itself does. */
  go?: (shop: string) => Promise<string>
  /** What the attacker's own computer does, by its name there; a page may have to finish it. */
  own?: string
  finish?: (found: Found) => Promise<string>
  /** For what never becomes a call: how to tell from what came of it. */
  judge?: { code: string; refused: (got: string) => boolean }
}

/** What the attacker's computer found. */
export type Found = { refused: boolean; code: string; evidence: string; address?: string; key?: string }

export type Group = { name: string; says: string; needs?: "computer"; attempts: Attempt[] }

/** Waits for the first of an element's events. */
const first = (element: EventTarget, ...names: string[]) =>
  new Promise<string>((done) => names.forEach((name) => element.addEventListener(name, () => done(name), { once: true })))

/** What can be read of an answer: nothing, where the browser keeps it away. */
const read = (url: string, init: RequestInit) =>
  fetch(url, { credentials: "include", ...init }).then((answer) => answer.text(), () => "")

async function post(shop: string): Promise<string> {
  const target = document.createElement("iframe")
  const form = document.createElement("form")
  Object.assign(target, { name: "stolen-form", title: "stolen form", hidden: true })
  Object.assign(form, { method: "POST", action: `${shop}/api/notes`, target: target.name, hidden: true })
  form.append(make("input"))
  document.querySelector("iframe")?.remove() // of the last time
  document.body.append(target, form)
  form.submit()
  form.remove()
  return ""
}

async function image(shop: string): Promise<string> {
  const i = new Image()
  const ended = first(i, "load", "error")
  i.src = `${shop}/api/me`
  return (await ended) === "load" ? "a picture" : ""
}

async function hijack(shop: string): Promise<string> {
  const ws = new WebSocket(`ws:${shop}/api/socket`)
  const ended = await first(ws, "open", "error")
  ws.close()
  return ended === "open" ? "an open socket" : ""
}

async function prefetch(shop: string): Promise<string> {
  const link = document.createElement("link")
  link.rel = "prefetch"
  link.href = `${shop}/bff/logout`
  document.head.append(link)
  return ""
}

async function toss(): Promise<string> {
  // The browser refuses a __Host- name from here; the plain name it takes, for the whole site.
  document.cookie = "__Host-Http-shop=planted; Domain=coatcheck.localhost; Path=/; Secure"
  document.cookie = "__Host-Http-shop=planted; Path=/; Secure"
  document.cookie = "shop=planted; Domain=coatcheck.localhost; Path=/"
  const kept = document.cookie
  document.cookie = "shop=; Domain=coatcheck.localhost; Path=/; Max-Age=0"
  return `document.cookie here: ${kept || "nothing"}`
}

let accomplice: Window | null = null

/** Opens a window while the person's click still counts; browsers allow none later. */
export function openWindow() {
  accomplice = window.open("", "accomplice", "popup,width=460,height=340")
  if (!accomplice) return
  accomplice.document.title = "Mallory’s window"
  accomplice.document.body.textContent = "This window is sent to the back office in a moment, with a sign-in of Mallory’s."
}

export function closeWindow() {
  accomplice?.close()
  accomplice = null
}

/** Sends this browser to an address: in the window, or in a frame where no window was allowed. */
async function send({ address = "" }: Found): Promise<string> {
  if (accomplice) accomplice.location.href = address
  else {
    const frame = document.createElement("iframe")
    Object.assign(frame, { title: "way back", hidden: true, src: address })
    document.body.append(frame)
  }
  return ""
}

const withKey = ({ address = "", key = "" }: Found) => read(address, { headers: { "X-Api-Key": key } })

export const groups: Group[] = [
  { name: "From a page next door, with her ticket", says: "Ada is signed in at the shop, in this browser. Her cookie goes along with whatever this page asks of the shop.", attempts: [
    { name: "Post a form", says: "A hidden form writes a note in the customer’s name. The cookie goes with it.", loot: "from Ada: orders and transfers in her name.", why: "The browser says who asks: its Origin is this page, not the shop.", method: "POST", path: "/api/notes", go: post },
    { name: "Sign the customer in as me", says: "A text/plain body that happens to be JSON: no preflight is asked for it.", loot: "from Ada: what she types next, into Mallory’s account.", why: "Whose page asks is looked at before what it asks, and a sign-in takes JSON only.", method: "POST", path: "/bff/login",
      go: (shop) => read(`${shop}/bff/login`, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: '{"email":"mallory@evil.example","password":"free-coats-here"}' }) },
    { name: "Read with fetch", says: "credentials: include, as the shop’s own pages do on a shared host.", loot: "from Ada: her sessions, and all that a page can read.", why: "This origin is not one of the shop’s, so that nothing is answered and nothing is readable.", method: "GET", path: "/bff/sessions", go: (shop) => read(`${shop}/bff/sessions`, {}) },
    { name: "Read as an image", says: "An <img> needs no permission, and carries the cookie.", loot: "from Ada: whether she is signed in, and pictures of hers.", why: "Sec-Fetch-Site says same-site, which is not same-origin.", method: "GET", path: "/api/me", go: image },
    { name: "Hijack a WebSocket", says: "No same-origin rule holds for these; the cookie goes along.", loot: "from Ada: everything that is said in it, both ways.", why: "A WebSocket has an Origin as well, and it is compared.", method: "GET", path: "/api/socket", go: hijack },
    { name: "Sign out by prefetch", says: "A link that the browser fetches ahead, by itself.", loot: "from Ada: her session, ended without a click.", why: "A neighbour’s link is no call of the shop’s, and signing out is a POST.", method: "GET", path: "/bff/logout", go: prefetch },
    { name: "Ask for permission", says: "A fetch with X-CSRF: the browser asks first, by a preflight.", loot: "from Ada: any call at all, where CORS is too generous.", why: "Only the shop’s own origins are told yes.", method: "OPTIONS", path: "/api/expire",
      go: (shop) => read(`${shop}/api/expire`, { method: "POST", headers: { "X-CSRF": "1" } }) },
    { name: "Plant a cookie", says: "A neighbour may set cookies for the whole site, but none of a __Host- name; Coatcheck reads no other.", loot: "from Ada: her next session, which Mallory knows beforehand.", why: "The browser takes a __Host- name from the shop itself and from nobody else.", go: toss,
      judge: { code: "__Host- name, by the browser", refused: (got) => !got.includes("__Host-") } },
  ] },
  { name: "On the way back from the provider", needs: "computer", says: "Hedy and Mallory both have accounts at Porter’s Lodge. Mallory’s own computer does what no page can, and reads along while Hedy signs in on hers.", attempts: [
    { name: "My callback in your browser", says: "Mallory signs in as herself, keeps the way back, and sends this browser there (the small window).", loot: "from you: your work, done in Mallory’s account.", why: "The attempt is sealed and bound to the browser in which it began. In yours none did.", own: "my-callback", finish: send, method: "GET", path: "/bff/callback/porter" },
    { name: "A replayed callback", says: "The very request that signed Hedy in, sent once more, with its cookie.", loot: "from Hedy: a session, out of a log or a history.", why: "An attempt is used once. What comes later gets a page and no ticket.", own: "replayed-callback" },
    { name: "A stolen code without its verifier", says: "Hedy’s code, taken before it is used, by somebody who even has the client’s secret.", loot: "from Hedy: her tokens, straight from the provider.", why: "The verifier is made from a cookie in Hedy’s browser, and never came this way.", own: "stolen-code" },
  ] },
  { name: "With a program’s papers", needs: "computer", says: "A spreadsheet calls with a key, a phone provider signs its events. Mallory found the key in a backup, and recorded an event on its way.", attempts: [
    { name: "A key, from a page", says: "The spreadsheet’s key, which works, in a call of this page’s.", loot: "from the shop: the key, and with it all the orders.", why: "A key does not work in a browser: what a page has, everybody has who opens it.", own: "page-key", finish: withKey, method: "OPTIONS", path: "/v1/orders" },
    { name: "Ticket and key", says: "Mallory’s own ticket and the stolen key in one call.", loot: "from the shop: the rights of both, where one check sees the one and the next the other.", why: "One call, one proof. Two are refused before either is looked at.", own: "ticket-and-key" },
    { name: "A replayed event", says: "An event as the phone provider signed it, byte for byte, a second time.", loot: "from the shop: a refund that happens twice.", why: "Number and time are signed: the number counts once, the time for five minutes.", own: "replayed-event" },
    { name: "A changed event", says: "The same, with one telephone number changed.", loot: "from whoever trusts the number: a call from the bank that the bank never made.", why: "The signature covers every byte of the body.", own: "changed-event" },
    { name: "A key revoked a second ago", says: "It worked, its owner noticed, and revoked it.", loot: "from the shop: all that the key opens, until the last cache has noticed.", why: "Every replica compares its keys with the store’s once a second at least.", own: "revoked-key" },
  ] },
]
