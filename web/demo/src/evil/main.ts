// The attacker's page. It does what any page on the same site could do, and shows what
// Coatcheck's log said of it: the browser itself tells an attacker next to nothing.
import { $, make, sibling } from "../dom"
import { attempts, type Attempt } from "./attempts"

type Logged = { n: number; method: string; path: string; status: number; code: string }

async function log(after: number): Promise<{ lines: Logged[]; last: number }> {
  return (await fetch(`/log?after=${after}`)).json()
}

/** Waits for what Coatcheck's log says of a call, at most some seconds. */
async function logged(after: number, a: Attempt): Promise<Logged | undefined> {
  for (const end = Date.now() + 5000; Date.now() < end;) {
    const line = (await log(after)).lines.find((l) => l.method === a.method && l.path === a.path)
    if (line) return line
    await new Promise((next) => setTimeout(next, 60))
  }
  return undefined
}

function show(item: HTMLElement, refused: boolean, code: string, evidence: string) {
  const stub = item.querySelector(".verdict") as HTMLElement
  stub.replaceChildren(make("p", refused ? "stamp" : "stamp bad", refused ? "Refused" : "It worked"), make("code", "", code))
  item.querySelector(".what")?.append(make("p", "evidence", evidence))
  item.dataset.verdict = refused ? "refused" : "worked"
  item.dataset.code = code
}

/** Makes one attempt and judges it by Coatcheck's own log, and by what the page got hold of. */
async function one(a: Attempt, item: HTMLElement) {
  const { last } = await log(0)
  const got = await a.go(sibling("shop").slice(0, -1))
  if (a.judge) return show(item, a.judge.refused(got), a.judge.code, got)
  const line = await logged(last, a)
  if (!line) return show(item, got === "", "never arrived", got || "The browser did not let it out.")
  show(item, line.status >= 400 && got === "", `${line.status} ${line.code}`, `Coatcheck’s log: ${line.method} ${line.path} ${line.status} ${line.code}${got && ` · got: ${got}`}`)
}

function card(a: Attempt): HTMLElement {
  return make("li", "", make("div", "what", make("h3", "", a.name), make("p", "", a.says)), make("div", "verdict", make("span", "waiting", "not tried yet")))
}

async function attack() {
  const button = $<HTMLButtonElement>("attack")
  button.disabled = true
  const items = attempts.map(card)
  $("tries").replaceChildren(...items)
  for (const [i, a] of attempts.entries()) await one(a, items[i] as HTMLElement)
  const worked = items.filter((item) => item.dataset.verdict !== "refused").length
  $("score").textContent = worked === 0 ? `${items.length} tries, ${items.length} refused. No coat today.` : `${worked} of ${items.length} worked.`
  $("after").hidden = false
  button.textContent = "Attack again"
  button.disabled = false
}

$("here").textContent = location.host
for (const id of ["to-shop", "sign-in", "still"]) $<HTMLAnchorElement>(id).href = sibling("shop")
$("tries").replaceChildren(...attempts.map(card))
$("attack").addEventListener("click", attack)
