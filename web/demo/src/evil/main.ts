// The attacker's page. It does what any page on the same site could do, and shows what
// Coatcheck's log said of it: the browser itself tells an attacker next to nothing.
import { $, make, sibling } from "../dom"
import { closeWindow, groups, openWindow, type Attempt, type Found, type Group } from "./attempts"

type Logged = { n: number; method: string; path: string; status: number; code: string }

async function log(after: number): Promise<{ lines: Logged[]; last: number }> {
  return (await fetch(`/log?after=${after}`)).json()
}

/** Waits for what Coatcheck's log says of a call: some seconds, and some questions however slow they are. */
async function logged(after: number, a: Attempt): Promise<Logged | undefined> {
  for (let asked = 0, end = Date.now() + 5000; asked < 50 || Date.now() < end; asked++) {
    const line = (await log(after)).lines.find((l) => l.method === a.method && l.path === a.path)
    if (line) return line
    await new Promise((next) => setTimeout(next, 60))
  }
  return undefined
}

function show(item: HTMLElement, why: string, refused: boolean, code: string, evidence: string) {
  const stub = item.querySelector(".verdict") as HTMLElement
  stub.replaceChildren(make("p", refused ? "stamp" : "stamp bad", refused ? "Refused" : "It worked"), make("code", "", code))
  if (refused) item.querySelector(".what")?.append(make("p", "why", make("b", "", "Not here. "), why))
  item.querySelector(".what")?.append(make("p", "evidence", evidence))
  item.dataset.verdict = refused ? "refused" : "worked"
  item.dataset.code = code
}

/** Has the attacker's own computer do its part. */
async function computer(name: string): Promise<Found> {
  const answer = await fetch(`/try/${name}`, { method: "POST" })
  return answer.ok ? answer.json() : { refused: false, code: `${answer.status}`, evidence: "Mallory’s computer is away." }
}

/** Makes one attempt and judges it by Coatcheck's own log, and by what was got hold of. */
async function one(a: Attempt, item: HTMLElement) {
  const found = a.own ? await computer(a.own) : undefined
  if (found?.code) return show(item, a.why, found.refused, found.code, found.evidence)
  const { last } = await log(0)
  const got = found && a.finish ? await a.finish(found) : await (a.go?.(sibling("shop").slice(0, -1)) ?? "")
  if (a.judge) return show(item, a.why, a.judge.refused(got), a.judge.code, got)
  const line = await logged(last, a)
  if (!line) return show(item, a.why, got === "", "never arrived", got || "The browser did not let it out.")
  show(item, a.why, line.status >= 400 && got === "", `${line.status} ${line.code}`, `Coatcheck’s log: ${line.method} ${line.path} ${line.status} ${line.code}${got && ` · got: ${got}`}`)
}

function card(a: Attempt): HTMLElement {
  const loot = make("p", "loot", make("b", "", "Elsewhere it takes "), a.loot)
  return make("li", "", make("div", "what", make("h4", "", a.name), make("p", "", a.says), loot), make("div", "verdict", make("span", "waiting", "not tried yet")))
}

let playing: Group[] = []

/** Lays out all tries, each as a card, in the order in which they are made. */
function layOut(): [Attempt, HTMLElement][] {
  const all: [Attempt, HTMLElement][] = []
  $("tries").replaceChildren(...playing.map((g) => {
    const cards = g.attempts.map((a) => {
      const item = card(a)
      all.push([a, item])
      return item
    })
    return make("section", "", make("h3", "", g.name), make("p", "sub", g.says), make("ol", "", ...cards))
  }))
  return all
}

async function attack() {
  const button = $<HTMLButtonElement>("attack")
  button.disabled = true
  openWindow()
  const all = layOut()
  for (const [a, item] of all) await one(a, item)
  closeWindow()
  const worked = all.filter(([, item]) => item.dataset.verdict !== "refused").length
  $("score").textContent = worked === 0 ? `${all.length} tries, ${all.length} refused. No coat today.` : `${worked} of ${all.length} worked.`
  $("after").hidden = false
  button.textContent = "Attack again"
  button.disabled = false
}

/** What there is to attack: a demo that stands in for another API has neither provider nor programs. */
async function begin() {
  const stage = await fetch("/stage").then((answer) => answer.json() as Promise<{ computer: boolean }>).catch(() => ({ computer: false }))
  playing = groups.filter((g) => !g.needs || stage[g.needs])
  layOut()
  $<HTMLButtonElement>("attack").disabled = false
}

$("here").textContent = location.host
for (const id of ["to-shop", "sign-in", "still"]) $<HTMLAnchorElement>(id).href = sibling("shop")
$("attack").addEventListener("click", attack)
begin()
