// What really happened at the API: its own journal of this sign-in.
import type { Bff } from "/bff/client.js"
import type { User } from "./door"

export type Entry = { n: number; kind: "sign-in" | "refresh" | "call"; method: string; path: string; token: string; good: boolean; cookie: boolean }

let read = 0

/** The entries since the last time; none where there is no journal, or no session. */
export async function news(bff: Bff<User>): Promise<Entry[]> {
  const answer = await bff.fetch(`/api/journal?after=${read}`)
  if (!answer.ok) return []
  const { entries } = (await answer.json()) as { entries: Entry[] }
  read = entries.at(-1)?.n ?? read
  return entries
}

export function forget() {
  read = 0
}
