// Programs that call: a spreadsheet with a key, a phone provider that signs. They stand
// outside; this page can only ask the API's owner to set them going, and watch.
import { isBffError, type Bff } from "/bff/client.js"
import { $, make } from "../dom"
import type { User } from "./door"
import { draw, stopped } from "./strip"

const place = { strip: "program-strip" } as const

/** What a program was told. */
type Outcome = { program: string; method: string; path: string; status: number; code?: string; limit?: string }

/** A call of a program, as it came to the API. */
type Arrival = { n: number; at: string; caller: string; key?: string; method: string; path: string; text: string }

// --- the limit, as its header tells it; what comes back meanwhile is reckoned

const burst = 10
const everyMs = 2000 // 30 a minute
let left = burst
let since = 0

function leftNow() {
  return Math.min(burst, left + Math.floor((Date.now() - since) / everyMs))
}

export function refill() {
  const now = leftNow()
  for (const [i, pip] of [...$("pips").children].entries()) pip.classList.toggle("spent", i >= now)
}

/** Reads the RateLimit field of the last answer that has one. */
function readLimit(outcomes: Outcome[]) {
  const remaining = outcomes.map((o) => /;r=(\d+)/.exec(o.limit ?? "")?.[1]).filter((r) => r !== undefined).at(-1)
  if (remaining === undefined) return
  left = Number(remaining)
  since = Date.now()
  $("limit").textContent = `${left} of ${burst} calls at once are left; one more every 2 s.`
  refill()
}

// --- drawing

function drawRead(o: Outcome) {
  const good = o.status === 200
  if (!good) return stopped(`Spreadsheet: GET ${o.path}`, `${o.status} ${o.code ?? ""}`, "with its key", place)
  return draw(`Spreadsheet: GET ${o.path}`, [
    { near: { to: "right", words: "with its key" }, far: { to: "right", words: "the robot’s token, no key" } },
    { near: { to: "left", how: "good", words: `200, ${/;r=(\d+)/.exec(o.limit ?? "")?.[1] ?? "?"} more at once` }, far: { to: "left", how: "good", words: "200" } },
  ], place)
}

function drawHurry(all: Outcome[]) {
  const good = all.filter((o) => o.status === 200).length
  const refused = all.length - good
  const refusal = all.findLast((o) => o.status !== 200) // the last call need not be one
  draw(`Spreadsheet: ${all.length} calls · ${good} through · ${refused} refused`, [
    { near: { to: "right", words: `${all.length} × with its key`, lines: all.length }, ...(good > 0 && { far: { to: "right" as const, words: `${good} × the robot’s token`, lines: good } }) },
    ...(good > 0 ? [{ near: { to: "left" as const, how: "good" as const, words: `${good} × 200`, lines: good }, far: { to: "left" as const, how: "good" as const, words: `${good} × 200`, lines: good } }] : []),
    ...(refused > 0 ? [{ near: { to: "left" as const, how: "bad" as const, words: `${refused} × ${refusal?.status} ${refusal?.code}`, lines: refused } }] : []),
  ], place)
}

function drawRing(o: Outcome) {
  if (o.status >= 400 || o.status === 0) return stopped(`Phone: POST ${o.path}`, `${o.status} ${o.code ?? ""}`, "signed", place)
  return draw(`Phone: POST ${o.path}`, [
    { near: { to: "right", words: "signed: number, time, body" }, far: { to: "right", words: "the robot’s token, the event" } },
    { near: { to: "left", how: "good", words: `${o.status}, once` }, far: { to: "left", how: "good", words: String(o.status) } },
  ], place)
}

/** A key in a page: without the ticket, and with it. Any value counts where keys are read; this one opens nothing. */
async function fromPage() {
  const key = "cchk_" + "0".repeat(48)
  for (const [credentials, words] of [["omit", "a key, in a browser"], ["include", "the ticket and a key"]] as const) {
    const answer = await fetch("/v1/orders", { credentials, headers: { "X-Api-Key": key } })
    stopped("This page: GET /v1/orders", `${answer.status} ${answer.headers.get("Coatcheck-Error")}`, words, { ...place, heads: ["Browser", "Coatcheck", "API"] })
  }
}

async function run(bff: Bff<User>, name: string) {
  if (name === "page") return fromPage()
  const { outcomes } = await bff.json<{ outcomes: Outcome[] }>(`/api/programs/${name}`, { method: "POST" })
  readLimit(outcomes)
  const [first] = outcomes
  if (!first) return
  if (name === "ring") drawRing(first)
  else if (outcomes.length === 1) drawRead(first)
  else drawHurry(outcomes)
}

/** Wires the buttons to bff. */
export function listenToPrograms(bff: Bff<User>) {
  $("pips").replaceChildren(...Array.from({ length: burst }, () => make("i")))
  $("programs").addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-program]")
    if (!button) return
    button.disabled = true
    try {
      await run(bff, button.dataset.program ?? "")
    } catch (e) {
      stopped(button.textContent ?? "", isBffError(e) ? e.code : String(e), "with the ticket", place)
    }
    button.disabled = false
  })
}

// --- what arrives, as it comes

let stream: EventSource | undefined

function showArrival({ at, caller, key, method, path, text }: Arrival) {
  const item = make("li", "", make("time", "", new Date(at).toLocaleTimeString([], { hour12: false })), make("span", "", make("b", "", caller), ` ${text}`),
    make("small", "", `${method} ${path} · ${key ? `key ${key}` : "by signature"}`))
  $("arrivals").prepend(item)
  while ($("arrivals").children.length > 40) $("arrivals").lastElementChild?.remove()
}

/** Listens to what arrives, while the page is shown; shows nothing where the API knows no programs. */
export function watchPrograms() {
  stream?.close()
  $("arrivals").replaceChildren()
  const source = new EventSource("/api/programs")
  stream = source
  source.onopen = () => {
    $("arrivals").replaceChildren() // all of them come anew
    $("programs").hidden = false
  }
  source.addEventListener("arrival", (event) => showArrival(JSON.parse(event.data) as Arrival))
}

export function forgetPrograms() {
  stream?.close()
  stream = undefined
  $("programs").hidden = true
  $("arrivals").replaceChildren()
}

// A page that is put aside for the back button holds no connection.
addEventListener("pagehide", () => stream?.close())
addEventListener("pageshow", (event) => {
  if (event.persisted && stream) watchPrograms()
})
