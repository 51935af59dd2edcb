// What really happened at the API: its own journal of this sign-in.
import type { Bff } from "/bff/client.js"
import type { User } from "./door"

export type Entry = { n: number; kind: "sign-in" | "refresh" | "call"; method: string; path: string; token: string; good: boolean; cookie: boolean }

/** What the provider noted of this session, where the person came by one. */
export type Event = { n: number; kind: "authorize" | "sign-in" | "code" | "token" | "refresh"; token: string }

export type News = { entries: Entry[]; provider: Event[]; issuer: string }

let read = 0
let readThere = 0

/** What is new since the last time; nothing where there is no journal, or no session. */
export async function all(bff: Bff<User>): Promise<News> {
  const answer = await bff.fetch(`/api/journal?after=${read}&provider=${readThere}`)
  if (!answer.ok) return { entries: [], provider: [], issuer: "" }
  const seen = (await answer.json()) as News
  read = seen.entries.at(-1)?.n ?? read
  readThere = seen.provider.at(-1)?.n ?? readThere
  return seen
}

export const news = async (bff: Bff<User>): Promise<Entry[]> => (await all(bff)).entries

export function forget() {
  read = readThere = 0
}
