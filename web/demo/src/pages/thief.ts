// The bad script: it looks everywhere that a script in this page can look.
import { $, make, tell } from "../dom"

// What a token, or this cookie, would look like.
const loot = /eyJ[\w-]{8,}\.|demo_[ar]t\.|__Host-/

const body = async (path: string) => {
  const answer = await fetch(path)
  const all = [...answer.headers].join("\n") + (await answer.text())
  return loot.test(all) ? all : ""
}

// CookieStore is not in every browser, databases() neither.
const cookieStore = (window as { cookieStore?: { getAll(): Promise<{ name: string }[]> } }).cookieStore

const places: [string, () => Promise<string> | string][] = [
  ["document.cookie", () => document.cookie],
  ["cookieStore.getAll()", async () => ((await cookieStore?.getAll()) ?? []).map((c) => c.name).join(", ")],
  ["localStorage", () => Object.keys(localStorage).join(", ")],
  ["sessionStorage", () => Object.keys(sessionStorage).join(", ")],
  ["indexedDB", async () => ((await indexedDB.databases?.()) ?? []).map((d) => d.name).join(", ")],
  ["the page’s own text", () => loot.exec(document.getElementById("bff-session")?.textContent ?? "")?.[0] ?? ""],
  ["answer of /bff/session", () => body("/bff/session")],
  ["answer of /api/echo", () => body("/api/echo")],
]

function list(): HTMLElement[] {
  return places.flatMap(([name]) => [make("dt", "", make("code", "", name)), make("dd", "", "–")])
}

async function search() {
  const cells = [...$("finds").querySelectorAll("dd")]
  let found = 0
  for (const [i, [, look]] of places.entries()) {
    const what = await look()
    if (what) found++
    const cell = cells[i]
    if (cell) tell(cell, what)
  }
  const verdict = $("thief-verdict")
  verdict.textContent = found === 0 ? `${places.length} places, nothing` : `${found} of ${places.length} gave something away`
  verdict.classList.toggle("bad", found > 0)
}

/** Wires the button. */
export function letIn() {
  $("finds").replaceChildren(...list())
  $("thief").addEventListener("click", search)
}
