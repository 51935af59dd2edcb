// What the page says about ends and refusals.
import { isBffError, type Reason } from "/bff/client.js"

export const ends: Record<Reason, string> = {
  signed_out: "You are signed out. The token is gone, here and at the API.",
  other_tab: "You signed out in another tab.",
  revoked: "Your session was ended elsewhere (revoked). The ticket in this browser opens nothing any more.",
  upstream: "The API does not accept this session any more.",
  expired: "The session has run out.",
  replaced: "Somebody else signed in here.",
}

const refusals: Record<string, string> = {
  invalid_credentials: "E-mail or password is wrong.",
  mfa_required: "That code is not right.",
  account_locked: "This account is locked.",
  too_many_attempts: "Too many attempts.",
  upstream_unreachable: "The API cannot be reached.",
  store_unavailable: "Sessions cannot be stored just now.",
  network_error: "Coatcheck cannot be reached.",
}

export function sentence(e: unknown): string {
  if (!isBffError(e)) return String(e)
  const wait = e.retryAfter ? ` Try again in ${e.retryAfter} s.` : ""
  return `${refusals[e.code] ?? "That did not work."}${wait} (${e.code})`
}
