// The provider, as far as this page has to do with it: how the person came in by it, and
// what becomes of this page when the session is ended over there.
import type { Bff } from "/bff/client.js"
import { $ } from "../dom"
import type { User } from "./door"
import * as journal from "./journal"
import { draw } from "./strip"

/** Draws the sign-in as the provider's own journal has it; nothing for who came by the form. */
export async function cameIn(bff: Bff<User>) {
  const { provider, issuer } = await journal.all(bff)
  const away = $<HTMLAnchorElement>("to-porter")
  away.hidden = issuer === ""
  const last = (kind: journal.Event["kind"]) => provider.findLast((e) => e.kind === kind)
  const asked = last("authorize"), code = last("code"), token = last("token")
  if (!asked || !code || !token) return
  away.href = `${issuer}/`
  away.onclick = () => watchEnd(bff)
  const typed = last("sign-in")
  draw("How you came in: a code, and PKCE", [
    { near: { to: "right", words: "GET /bff/login" } },
    { near: { to: "left", words: "303, off to the provider" } },
    { across: { to: "right", words: `authorize, challenge ${asked.token}` } },
    ...(typed ? [{ across: { to: "right" as const, words: "your password, typed over there" } }] : []),
    { across: { to: "left", words: `303 back, with code ${code.token}` } },
    { near: { to: "right", words: "callback, with the code" } },
    { far: { to: "right", words: "token: the code, and its verifier" } },
    { far: { to: "left", how: "good", words: `token ${token.token}, never in the browser` } },
    { near: { to: "left", how: "good", words: "a ticket" } },
  ], { heads: ["Browser", "Coatcheck", "Porter’s Lodge"] })
}

let stream: EventSource | undefined

/**
 * Keeps an event stream open, to be cut within a second when the provider ends the session:
 * nobody on this page does anything. Without bff: stops watching.
 */
export function watchEnd(bff?: Bff<User>) {
  stream?.close()
  stream = undefined
  if (!bff) return
  const source = new EventSource("/api/events?every=1000")
  stream = source
  source.onopen = async () => {
    draw("An open stream, until the provider ends the session", [{ near: { to: "left", words: "ticks" }, far: { to: "left", words: "ticks" } }])
  }
  source.onerror = () => {
    if (stream !== source) return
    watchEnd()
    bff.refresh().catch(() => {})
  }
}
