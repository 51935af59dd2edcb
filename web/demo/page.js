// What both other modules need of the page.

export const $ = (id) => document.getElementById(id);

/** Shows a value that had better be empty. */
export function tell(id, text) {
  $(id).textContent = text === "" ? "empty" : text;
  $(id).className = text === "" ? "empty" : "full";
}

/** Asks the browser, now, what a script can see. */
export function look() {
  tell("cookies", document.cookie);
  tell("storage", Object.keys(localStorage).join(", "));
  tell("tab", Object.keys(sessionStorage).join(", "));
}

/** Milliseconds as a person reads them. */
export function clock(ms) {
  const s = Math.round(ms / 1000);
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
