// The three columns: what a script sees here, what Coatcheck says of the session, what
// arrived at the API.
import type { Session } from "/bff/client.js"
import { $, clock, make, tell } from "../dom"
import type { User } from "./door"

/** What the demo API answers at /api/echo. */
export type Echo = {
  headers: Record<string, string[]>
  cookie_arrived: boolean
  token: { fingerprint: string; expires_in: number; refreshes: number }
}

/** Asks the browser, now, what a script can see. */
export function look() {
  tell($("cookies"), document.cookie)
  tell($("storage"), Object.keys(localStorage).join(", "))
  tell($("tab"), Object.keys(sessionStorage).join(", "))
}

// Each ring runs down from the most that was ever left.
const ends = { idle: 0, life: 0, "token-left": 0 }
const most = { idle: 1, life: 1, "token-left": 1 }
const rings = { idle: "idle-ring", life: "life-ring", "token-left": "token-ring" }

export function tick() {
  for (const name of ["idle", "life", "token-left"] as const) {
    if (!ends[name]) continue
    const left = Math.max(0, ends[name] - Date.now())
    most[name] = Math.max(most[name], left)
    $(name).textContent = clock(left)
    $(rings[name]).style.strokeDashoffset = String(100 - (100 * left) / most[name])
  }
}

/** How Coatcheck's log names the session: a hash of its public handle. */
async function logName(id: string): Promise<string> {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("coatcheck/v1/log" + id))
  return [...new Uint8Array(sum, 0, 8)].map((b) => b.toString(16).padStart(2, "0")).join("")
}

export async function showSession(session: Extract<Session<User>, { status: "authenticated" }>) {
  ends.idle = session.idleExpiresAt
  ends.life = session.expiresAt
  $("who").textContent = session.user.name
  look()
  tick()
  const name = await logName(session.id)
  $("handle").textContent = name
  $("number").textContent = String(parseInt(name.slice(0, 6), 16) % 10000).padStart(4, "0")
}

export function showArrived(echo: Echo) {
  $("authorization").textContent = echo.headers.Authorization?.join(", ") ?? "none"
  tell($("cookie-arrived"), echo.cookie_arrived ? "arrived" : "")
  if (!echo.cookie_arrived) $("cookie-arrived").textContent = "none"
  const n = echo.token.refreshes
  $("refreshed").textContent = n === 0 ? "not yet" : n === 1 ? "once" : `${n} times`
  ends["token-left"] = Date.now() + echo.token.expires_in * 1000
  $("api-verdict").textContent = echo.cookie_arrived ? "A cookie came through" : "A token, and no cookie"
  $("header-list").replaceChildren(...Object.entries(echo.headers).sort().flatMap(([name, values]) =>
    [make("dt", "", name), make("dd", "", values.join(", "))]))
  $("headers").hidden = false
  tick()
}

export function emptyRooms() {
  for (const id of ["authorization", "cookie-arrived", "refreshed", "token-left"]) {
    $(id).textContent = "–"
    $(id).className = ""
  }
  ends["token-left"] = 0
  most["token-left"] = most.idle = most.life = 1
  $("api-verdict").textContent = ""
  $("number").textContent = "····"
  $("headers").hidden = true
}
