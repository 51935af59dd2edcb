// What every module here needs of the page.

/** The element of that id, which the page has. */
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id)
  if (!element) throw new Error(`the page lacks #${id}`)
  return element as E
}

/** A new element with a class and content. Text stays text: nothing here is read as markup. */
export function make(tag: string, name = "", ...content: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag)
  if (name) element.className = name
  element.append(...content)
  return element
}

/** Shows a value that had better be empty. */
export function tell(element: HTMLElement, text: string): void {
  element.textContent = text === "" ? "empty" : text
  element.className = text === "" ? "good" : "bad"
}

/** Milliseconds as a person reads them. */
export function clock(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`
}

/** The address of another of the demo's pages. */
export const sibling = (name: string) => `//${name}.coatcheck.localhost:${location.port}/`
