// Signing in: a real form, so that password managers understand it, and a second step
// where the API asks for one.
import type { Bff } from "/bff/client.js"
import { $, make } from "../dom"
import { names, people, type Frontend, type Person } from "../people"
import { sentence } from "./words"

export type User = { id: string; email: string; name: string }

const form = $<HTMLFormElement>("login")
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement

/** Shows the first step, or the one that the API asked for. */
function step(wanted: "first" | "second") {
  const second = wanted === "second"
  $("first").hidden = second
  $("second").hidden = $("back").hidden = !second
  field("otp").required = second
  field("otp").value = ""
  field("email").disabled = field("password").disabled = second
  $("enter").textContent = second ? "Hand over the code" : "Sign in"
  $("refusal").textContent = ""
  if (second) field("otp").focus()
}

/** Fills the form in, where there is one. */
export function fill([, email, password]: Person) {
  if (form.hidden) return
  step("first")
  field("email").value = email
  field("password").value = password
}

/** Wires the form to bff. */
export function openDoor(bff: Bff<User>, frontend: Frontend, entered: () => void) {
  const submit = async () => {
    const second = !$("second").hidden
    const session = await bff.login(second ? { step: "otp", otp: field("otp").value } : { email: field("email").value, password: field("password").value })
    if (session.status !== "authenticated") return step("second")
    step("first")
    form.reset()
    entered()
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const enter = $<HTMLButtonElement>("enter")
    $("refusal").textContent = ""
    enter.disabled = true
    try {
      await submit()
    } catch (e) {
      $("refusal").textContent = sentence(e)
      field($("second").hidden ? "password" : "otp").focus()
    } finally {
      enter.disabled = false
    }
  })
  $("back").addEventListener("click", () => step("first"))
  $("where").textContent = names[frontend]
  for (const person of people[frontend]) {
    const button = make("button", "", person[0]) as HTMLButtonElement
    button.type = "button"
    button.addEventListener("click", () => fill(person))
    $("people").append(button)
  }
  fill(people[frontend][0])
  openLodge(bff, frontend)
}

/** Wires the other way in: a provider's page, where the frontend has one and no form. */
function openLodge(bff: Bff<User>, frontend: Frontend) {
  const leave = (loginHint?: string) => {
    bff.signIn({ returnTo: "/", ...(loginHint && { loginHint, prompt: "select_account" }) }).catch((e) => { $("refusal").textContent = sentence(e) })
  }
  $("leave").addEventListener("click", () => leave())
  for (const [name, email] of people[frontend]) {
    const button = make("button", "", name) as HTMLButtonElement
    button.addEventListener("click", () => leave(email))
    $("staff").append(button)
  }
}

/** Shows the way in that the frontend has. */
export function chooseDoor(providers: readonly string[] | undefined) {
  const away = providers !== undefined && providers.length > 0
  form.hidden = away
  $("away").hidden = !away
  for (const e of document.querySelectorAll<HTMLElement>(".by-form")) e.hidden = away
  for (const e of document.querySelectorAll<HTMLElement>(".by-provider")) e.hidden = !away
}
