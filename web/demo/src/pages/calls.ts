// The buttons that call the API.
import { isBffError, type Bff } from "/bff/client.js"
import { $ } from "../dom"
import type { User } from "./door"
import * as journal from "./journal"
import { emptyRooms, look, showArrived, type Echo } from "./rooms"
import { cameIn, watchEnd } from "./lodge"
import { clear, draw, stopped, through } from "./strip"
import { events, socket, upload } from "./streams"
import { forgetPrograms, watchPrograms } from "./programs"

/** Shows an answer's body as text; a page of the API can put nothing else here. */
export function showAnswer(status: string, text: string) {
  let body = text
  try {
    body = JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // not JSON: as it is
  }
  $("answer").textContent = `${status}\n\n${body || "no body"}`
}

/** What Coatcheck put on the newest call to path, as the API's journal has it. */
export async function putOn(bff: Bff<User>, path: string): Promise<string> {
  const seen = (await journal.news(bff)).filter((e) => e.kind === "call" && e.path === path.split("?")[0]).at(-1)
  if (!seen) return "token on, cookie off"
  return `token ${seen.token}${seen.cookie ? ", and a cookie!" : ", no cookie"}`
}

const text = (answer: Response) => `${answer.status} ${answer.statusText}`.trim()

/** Makes one call, draws it, shows the answer. Returns it where the API gave it. */
async function call(bff: Bff<User>, path: string, init?: RequestInit): Promise<Response> {
  const begun = performance.now()
  const answer = await bff.fetch(path, init)
  const took = Math.round(performance.now() - begun)
  const title = `${init?.method ?? "GET"} ${path}`
  const refusal = answer.headers.get("Coatcheck-Error")
  showAnswer(text(answer), await answer.clone().text())
  if (refusal) stopped(title, `${answer.status} ${refusal}`)
  else through(title, await putOn(bff, path), String(answer.status), answer.ok, `${answer.status} after ${took} ms`)
  return answer
}

async function echo(bff: Bff<User>) {
  const answer = await bff.fetch("/api/echo")
  if (answer.ok) showArrived((await answer.json()) as Echo)
}

const note = () => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ text: `A note, ${new Date().toLocaleTimeString()}` }),
})

/** What a page of somebody else's could send at most: no header of its own. */
async function forge() {
  const answer = await fetch("/api/notes", { method: "POST", body: "text=planted" })
  showAnswer(text(answer), await answer.text())
  stopped("POST /api/notes, as a form would", `${answer.status} ${answer.headers.get("Coatcheck-Error")}`, "ticket, no X-CSRF")
}

/** Lets the API forget its token, calls eight times at once, and draws what the API saw. */
async function expire(bff: Bff<User>) {
  await journal.news(bff)
  const gone = await bff.fetch("/api/expire", { method: "POST" })
  if (!gone.ok) return tooSoon(gone)
  const answers = await Promise.all(Array.from({ length: 8 }, () => bff.fetch("/api/me")))
  const { entries: seen, provider } = await journal.all(bff)
  const calls = seen.filter((e) => e.path === "/api/me")
  const refused = calls.filter((e) => !e.good).length
  const good = calls.filter((e) => e.good)
  const refreshes = seen.filter((e) => e.kind === "refresh").length + provider.filter((e) => e.kind === "refresh").length
  const where = provider.length > 0 ? "at the provider, " : ""
  const out = answers.filter((a) => a.ok).length
  const old = calls.find((e) => !e.good)?.token ?? ""
  draw(`8 calls in · ${refreshes} refresh${refreshes === 1 ? "" : "es"} · ${out} out`, [
    { near: { to: "right", words: "8 calls with the ticket", lines: 8 }, far: { to: "right", how: "bad", words: `${refused} × old token ${old}`, lines: refused } },
    { far: { to: "left", how: "bad", words: `${refused} × 401` } },
    { far: { to: "right", words: `${refreshes} refresh, ${where}for all who wait`, lines: refreshes } },
    { far: { to: "right", how: "good", words: `${good.length} × new token ${good[0]?.token ?? ""}`, lines: good.length } },
    { near: { to: "left", how: "good", words: `${out} answers`, lines: out }, far: { to: "left", how: "good", words: `${good.length} × 200`, lines: good.length } },
  ])
  showAnswer("What the API saw", JSON.stringify(seen.map((e) => `${e.kind} ${e.path} ${e.token}${e.good ? "" : " refused"}`)))
  await echo(bff)
}

async function tooSoon(answer: Response) {
  showAnswer(text(answer), await answer.text())
  stopped("POST /api/expire", `${answer.status}: once in 70 s; ${answer.headers.get("Retry-After")} s to go`)
}

/** The API's owner has the person's sessions ended, by Coatcheck's interface for operators. */
async function elsewhere(bff: Bff<User>) {
  const answer = await bff.fetch("/api/revoke", { method: "POST" })
  if (!answer.ok) return showAnswer(text(answer), await answer.text())
  await bff.refresh()
}

const table = {
  read: (bff: Bff<User>) => call(bff, "/api/notes"),
  write: (bff: Bff<User>) => call(bff, "/api/notes", note()),
  error: (bff: Bff<User>) => call(bff, "/api/error/418"),
  upload, events, socket, forge, elsewhere, expire,
}

/** Wires the buttons to bff. */
export function listen(bff: Bff<User>) {
  const begin = () => {
    if (bff.session.status !== "authenticated") return
    echo(bff).then(() => cameIn(bff)).catch(() => {})
    watchPrograms()
  }
  bff.on("login", begin)
  bff.ready.then(begin)
  bff.on("logout", () => {
    clear()
    emptyRooms()
    watchEnd()
    forgetPrograms()
    journal.forget()
    $("answer").textContent = "–"
  })
  $("calls").addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-call]")
    if (!button) return
    button.disabled = true
    try {
      await table[button.dataset.call as keyof typeof table](bff)
    } catch (e) {
      stopped(button.textContent ?? "", isBffError(e) ? e.code : String(e))
    }
    button.disabled = false
    look()
  })
}
