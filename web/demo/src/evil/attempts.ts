// What a page on the same site can try against the shop. Each way back is what the
// attacker got hold of; "" is nothing.
import { make } from "../dom"

export type Attempt = {
  name: string
  says: string
  /** The call that Coatcheck's log is searched for. */
  method: string
  path: string
  go: (shop: string) => Promise<string>
  /** For what never becomes a call: how to tell from what came of it. */
  judge?: { code: string; refused: (got: string) => boolean }
}

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

export const attempts: Attempt[] = [
  { name: "Post a form", says: "A hidden form writes a note in the customer’s name. The cookie goes with it.", method: "POST", path: "/api/notes", go: post },
  { name: "Sign the customer in as me", says: "A text/plain body that happens to be JSON: no preflight is asked for it.", method: "POST", path: "/bff/login",
    go: (shop) => read(`${shop}/bff/login`, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: '{"email":"grace@shop.example","password":"ship-in-harbour"}' }) },
  { name: "Read with fetch", says: "credentials: include, as the shop’s own pages do on a shared host.", method: "GET", path: "/bff/sessions", go: (shop) => read(`${shop}/bff/sessions`, {}) },
  { name: "Read as an image", says: "An <img> needs no permission, and carries the cookie.", method: "GET", path: "/api/me", go: image },
  { name: "Hijack a WebSocket", says: "No same-origin rule holds for these; the cookie goes along.", method: "GET", path: "/api/socket", go: hijack },
  { name: "Sign out by prefetch", says: "A link that the browser fetches ahead, by itself.", method: "GET", path: "/bff/logout", go: prefetch },
  { name: "Ask for permission", says: "A fetch with X-CSRF: the browser asks first, by a preflight.", method: "OPTIONS", path: "/api/expire",
    go: (shop) => read(`${shop}/api/expire`, { method: "POST", headers: { "X-CSRF": "1" } }) },
  { name: "Plant a cookie", says: "A neighbour may set cookies for the whole site, but none of a __Host- name; Coatcheck reads no other.", method: "", path: "", go: toss,
    judge: { code: "__Host- name, by the browser", refused: (got) => !got.includes("__Host-") } },
]
