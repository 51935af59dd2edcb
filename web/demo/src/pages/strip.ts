// The strip: each call drawn from the browser to Coatcheck to the API and back, as far
// as it came.
import { $, make } from "../dom"

const longest = 40

/** One arrow: which way it goes, how it went, what stands above it. */
type Arrow = { to: "right" | "left"; how?: "good" | "bad" | "cut"; words: string; lines?: number }

/** A line of the drawing: between browser and Coatcheck, and between Coatcheck and the API. */
type Line = { near?: Arrow; far?: Arrow; across?: Arrow }

function arrow(side: string, a: Arrow | undefined, delay: number): HTMLElement {
  const cell = make("span", `${side} ${a ? `arrow ${a.to} ${a.how ?? ""}` : ""}`)
  if (!a) return cell
  const shafts = make("span", "shafts", ...Array.from({ length: a.lines ?? 1 }, () => make("i")))
  shafts.setAttribute("aria-hidden", "true")
  shafts.style.setProperty("--delay", `${delay}ms`)
  cell.append(make("span", "words", a.words), shafts)
  return cell
}

/** Where something is drawn, and what the three are called where that is not as the strip has it. */
type Place = { strip?: "strip" | "program-strip"; heads?: [string, string, string] }

/** Draws one call. Returns how to say the last words anew, for what goes on. */
export function draw(title: string, lines: Line[], { strip: id = "strip", heads }: Place = {}): (words: string) => void {
  let delay = 0
  const rows = lines.map(({ near, far, across }) => {
    if (across) {
      delay += 180
      return make("span", "lane", arrow("across", across, delay - 180))
    }
    const first = near?.to === "left" ? far : near // the way back begins at the API
    const at = delay
    delay += near && far ? 360 : 180
    return make("span", "lane", arrow("near", near, first === near ? at : at + 180), arrow("far", far, first === far ? at : at + 180))
  })
  const item = make("li", "", make("b", "title", title), ...(heads ? [make("span", "heads", ...heads.map((h) => make("span", "", h)))] : []), ...rows)
  const strip = $(id)
  item.querySelector(".heads")?.setAttribute("aria-hidden", "true")
  strip.prepend(item)
  while (strip.children.length > longest) strip.lastElementChild?.remove()
  return (words) => {
    const all = item.querySelectorAll(".words")
    const last = all[all.length - 1]
    if (last) last.textContent = words
  }
}

/** A call that went all the way: what was asked, what was put on, what came. */
export const through = (title: string, token: string, status: string, good: boolean, back = "the answer") =>
  draw(title, [
    { near: { to: "right", words: "with the ticket" }, far: { to: "right", words: token } },
    { near: { to: "left", words: back, how: good ? "good" : "bad" }, far: { to: "left", words: status, how: good ? "good" : "bad" } },
  ])

/** A call that Coatcheck did not let through. */
export const stopped = (title: string, refusal: string, sent = "with the ticket", place?: Place) =>
  draw(title, [
    { near: { to: "right", how: "cut", words: sent } },
    { near: { to: "left", how: "bad", words: refusal } },
  ], place)

export function clear() {
  $("strip").replaceChildren()
  $("program-strip").replaceChildren()
}
