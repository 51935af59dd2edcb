// The demo's page: who is there, and what of it a script can see. It does what a page
// of yours would do, no more.
import { createBff } from "/bff/client.js"
import { $, make, sibling } from "../dom"
import { names, people, type Frontend } from "../people"
import { listen } from "./calls"
import { chooseDoor, fill, openDoor, type User } from "./door"
import { listenToPrograms, refill } from "./programs"
import { showSession, tick } from "./rooms"
import { letIn } from "./thief"
import { ends, sentence } from "./words"

const bff = createBff<User>()
const frontend: Frontend = location.hostname.startsWith("admin.") ? "admin" : "shop"
const other: Frontend = frontend === "admin" ? "shop" : "admin"

function show() {
  const { session } = bff
  const inside = session.status === "authenticated"
  $("waiting").hidden = session.status !== "loading"
  if (session.status === "anonymous") chooseDoor(session.providers)
  $("door").hidden = session.status !== "anonymous"
  $("inside").hidden = $("person").hidden = !inside
  if (session.status === "authenticated") showSession(session)
}

function notice(text: string) {
  $("notice").textContent = text
  $("notice").hidden = text === ""
}

const trying = (work: () => Promise<unknown>) => async () => {
  try {
    await work()
  } catch (e) {
    notice(sentence(e))
  }
}

// --- sessions of this person

type Listed = { id: string; current: boolean; created_at: string; address: string }

function unfold(open: boolean) {
  $("list").hidden = !open
  $("sessions").setAttribute("aria-expanded", String(open))
}

function row(s: Listed): HTMLElement {
  const end = make("button", "", "End it")
  const item = make("li", "", make("span", "", `${s.current ? "This one" : "Another"}, since ${new Date(s.created_at).toLocaleTimeString()}`), end)
  end.addEventListener("click", trying(async () => {
    if (s.current) return bff.logout()
    await bff.json(`/bff/sessions/${s.id}`, { method: "DELETE" })
    item.remove()
  }))
  return item
}

$("sessions").addEventListener("click", trying(async () => {
  const open = $("list").hidden === true
  if (open) $("list").replaceChildren(...(await bff.json<Listed[]>("/bff/sessions")).map(row))
  unfold(open)
}))

// --- the buttons of the frame

$("logout").addEventListener("click", async () => {
  try {
    await bff.logout()
    $<HTMLElement>($("away").hidden ? "enter" : "leave").focus()
  } catch (e) {
    notice("You are still signed in. " + sentence(e))
  }
})
$("retry").addEventListener("click", trying(() => bff.refresh()))
$("extend").addEventListener("click", trying(async () => {
  await bff.extend()
  notice("")
}))
$("copy").addEventListener("click", async () => {
  const done = await navigator.clipboard.writeText($("snippet").textContent ?? "").then(() => true, () => false)
  $("copy").textContent = done ? "Copied" : "Select it and copy"
})

// --- all together

document.documentElement.classList.add(frontend)
document.title = `${names[frontend]} · Coatcheck demo`
$("name").textContent = names[frontend]
for (const id of ["to-other", "to-other-too"]) $<HTMLAnchorElement>(id).href = sibling(other)
$("to-other").textContent = names[other]
for (const id of ["to-evil", "to-evil-too"]) $<HTMLAnchorElement>(id).href = sibling("evil")
openDoor(bff, frontend, () => {
  notice("")
  $("c1").focus()
})
letIn()

bff.subscribe(show)
bff.on("logout", (reason) => {
  notice(ends[reason])
  unfold(false)
  fill(people[frontend][0])
})
bff.on("expiring", () => notice("The session ends within a minute. “I am still here” prolongs it."))
bff.on("error", (e) => {
  $("waiting-text").textContent = sentence(e)
  show()
})
listen(bff)
listenToPrograms(bff)
setInterval(() => {
  tick()
  refill()
}, 1000)
bff.ready.then(show) // the session may have come with the page: then nothing changes
