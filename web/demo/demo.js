// The demo's page. It shows what a page of yours would do, and what nobody can do to it.
import { createBff, isBffError } from "/bff/client.js"

const bff = createBff()
const $ = (id) => document.getElementById(id)
const frontend = location.hostname.split(".")[0] === "admin" ? "admin" : "shop"
const people = {
  shop: [["Ada", "ada@shop.example", "engine-number-one"], ["Grace", "grace@shop.example", "ship-in-harbour"], ["somebody locked out", "locked@shop.example", "lost-my-key"]],
  admin: [["Radia", "radia@admin.example", "spanning-tree"], ["Hedy", "hedy@admin.example", "piano-roll-88"]],
}
const reasons = {
  signed_out: "You signed out.", other_tab: "You signed out in another tab.", revoked: "This session was ended elsewhere.",
  upstream: "The API does not accept this session any more.", expired: "The session has run out.", replaced: "Somebody else signed in here.",
}

// --- who is there -----------------------------------------------------------

function show() {
  const s = bff.session
  $("door").hidden = s.status !== "anonymous"
  $("inside").hidden = s.status !== "authenticated"
  $("number").textContent = s.status === "authenticated" ? s.id.slice(0, 4) : "—"
  if (s.status !== "authenticated") return
  $("who").textContent = `${s.user.name}, ${s.user.email}`
  $("handle").textContent = s.id
  $("since").textContent = new Date(s.createdAt).toLocaleTimeString()
  look()
  tick()
}

// look shows what a script can see: it asks the browser, now.
function look() {
  told($("cookies"), document.cookie)
  told($("storage"), Object.keys(localStorage).join(", "))
}

function told(element, text) {
  element.textContent = text === "" ? "empty" : text
  element.className = text === "" ? "empty" : ""
}

const full = { idle: 1, life: 1 }
function tick() {
  const s = bff.session
  if (s.status !== "authenticated") return
  for (const [name, ends] of [["idle", s.idleExpiresAt], ["life", s.expiresAt]]) {
    const left = Math.max(0, ends - Date.now())
    full[name] = Math.max(full[name], left)
    $(name).textContent = clock(left)
    $(`${name}-ring`).style.strokeDashoffset = String(100.53 * (1 - left / full[name]))
  }
}

function clock(ms) {
  const s = Math.round(ms / 1000)
  return s >= 3600 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min` : `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`
}

function notice(text) {
  $("notice").textContent = text
  $("notice").hidden = text === ""
}

// --- signing in and out -----------------------------------------------------

$("login").addEventListener("submit", async (event) => {
  event.preventDefault()
  const form = event.target
  const button = form.querySelector("button")
  $("refusal").hidden = true
  button.disabled = true
  try {
    await bff.login(Object.fromEntries(new FormData(form)))
    form.reset()
    notice("")
    record("POST /bff/login", "ticket made, token kept", "200 a token", true)
  } catch (error) {
    $("refusal").textContent = isBffError(error) ? `${sentence(error.code)} (${error.code})` : String(error)
    $("refusal").hidden = false
  } finally {
    button.disabled = false
  }
})

function sentence(code) {
  return {
    invalid_credentials: "E-mail or password is wrong.", account_locked: "This account is locked.",
    too_many_attempts: "Too many attempts. Wait a little.", upstream_unreachable: "The API is not there.",
  }[code] ?? "That did not work."
}

for (const [name, email, password] of people[frontend]) {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = name
  button.addEventListener("click", () => {
    $("login").email.value = email
    $("login").password.value = password
    $("login").querySelector("button").focus()
  })
  $("people").append(button)
}

$("logout").addEventListener("click", () => bff.logout().catch((error) => notice(`Still signed in: ${error.code}`)))
$("extend").addEventListener("click", () => bff.extend().then(tick))
$("sessions").addEventListener("click", async () => {
  const list = await bff.json("/bff/sessions")
  $("list").replaceChildren(...list.map((s) => {
    const item = document.createElement("li")
    item.textContent = `${s.current ? "this one" : "another"}, since ${new Date(s.created_at).toLocaleTimeString()}, from ${s.address} `
    const end = document.createElement("button")
    end.textContent = "end it"
    end.addEventListener("click", async () => {
      await bff.fetch(`/bff/sessions/${s.id}`, { method: "DELETE" })
      item.remove()
      bff.refresh()
    })
    item.append(end)
    return item
  }))
  $("list").hidden = false
})

// --- calls --------------------------------------------------------------------

// record draws one call: what the browser did, what Coatcheck did, what came back.
function record(what, middle, end, ok) {
  const item = document.createElement("li")
  for (const [name, text] of [["start", what], ["mid", middle], [`end ${ok ? "ok" : "no"}`, end]]) {
    const cell = document.createElement("span")
    cell.className = name
    cell.textContent = text
    item.append(cell)
  }
  $("strip").prepend(item)
  while ($("strip").children.length > 60) $("strip").lastElementChild.remove()
}

async function call(path, init, middle = "cookie off, token on") {
  const answer = await bff.fetch(path, init)
  const ours = answer.headers.get("Coatcheck-Error")
  record(`${init?.method ?? "GET"} ${path}`, ours ? `refused: ${ours}` : middle, ours ? "never asked" : String(answer.status), answer.ok)
  return answer
}

function arrived(echo) {
  $("authorization").textContent = echo.headers.Authorization?.join(", ") ?? "none"
  told($("cookie-arrived"), echo.cookie_arrived ? "arrived" : "")
  $("token").textContent = `${echo.token.fingerprint}, ${clock(echo.token.expires_in * 1000)} left, renewed ${echo.token.refreshes}×`
  $("api-verdict").textContent = "A token, and no cookie."
}

const calls = {
  echo: async () => arrived(await (await call("/api/echo")).json()),
  read: () => call("/api/notes"),
  write: () => call("/api/notes", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text: `A note at ${new Date().toLocaleTimeString()}` }) }),
  error: () => call("/api/error/418"),
  forge: async () => {
    const answer = await fetch("/api/notes", { method: "POST" }) // as a page of another origin could
    record("POST /api/notes without X-CSRF", `refused: ${answer.headers.get("Coatcheck-Error")}`, "never asked", false)
  },
  expire: async () => {
    const echo = async () => (await call("/api/echo")).json()
    const before = (await echo()).token.refreshes
    await call("/api/expire", { method: "POST" }, "the API forgets the token")
    const answers = await Promise.all(Array.from({ length: 8 }, echo))
    const last = answers.reduce((a, b) => (b.token.refreshes > a.token.refreshes ? b : a))
    arrived(last)
    record("8 calls at once", `refreshes: ${last.token.refreshes - before}`, `${answers.length} answers`, last.token.refreshes === before + 1)
  },
  upload: () => new Promise((resolve) => {
    const request = new XMLHttpRequest() // fetch tells nothing of an upload's progress
    request.open("POST", "/api/upload")
    request.setRequestHeader("X-CSRF", "1")
    request.upload.onprogress = (e) => { $("progress").value = e.loaded / e.total }
    request.onloadend = () => {
      record("POST /api/upload, 2 MB", "streamed", String(request.status), request.status === 200)
      $("progress").hidden = true
      resolve()
    }
    $("progress").hidden = false
    request.send(new Blob([new Uint8Array(2 << 20)]))
  }),
  events: () => new Promise((resolve) => {
    const source = new EventSource("/api/events")
    let count = 0
    source.onmessage = (event) => {
      record("event stream", "passed on as it comes", `event: ${event.data}`, true)
      if (++count === 5) end()
    }
    source.onerror = () => { record("event stream", "ended with the session", "closed", false); end() }
    function end() { source.close(); resolve() }
  }),
}

$("calls").addEventListener("click", async (event) => {
  const name = event.target.dataset?.call
  if (!name) return
  event.target.disabled = true
  try { await calls[name]() } catch (error) { record(name, isBffError(error) ? error.code : "", String(error), false) }
  event.target.disabled = false
  look()
})

// --- all together ---------------------------------------------------------------

document.documentElement.classList.add(frontend)
$("name").textContent = frontend === "admin" ? "Back office" : "The shop"
document.title = `${$("name").textContent} — Coatcheck demo`
$("other").textContent = frontend === "admin" ? "open the shop as somebody else" : "open the back office as somebody else"
$("other").href = `//${frontend === "admin" ? "shop" : "admin"}.coatcheck.localhost:${location.port}/`

bff.subscribe(show)
bff.on("logout", (reason) => { notice(reasons[reason] ?? "You are signed out."); $("strip").replaceChildren(); $("list").hidden = true })
bff.on("expiring", () => notice("The session ends in a minute. “I am still here” prolongs it."))
setInterval(tick, 1000)
bff.ready.then(show)
