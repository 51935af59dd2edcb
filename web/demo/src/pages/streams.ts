// Calls that go on for a while: an upload, an event stream, a WebSocket.
import type { Bff } from "/bff/client.js"
import { $ } from "../dom"
import { putOn, showAnswer } from "./calls"
import type { User } from "./door"
import { stopped, through } from "./strip"

/** Uploads by XMLHttpRequest, because fetch tells nothing of an upload's progress. */
export async function upload(bff: Bff<User>) {
  const bar = $<HTMLProgressElement>("progress")
  const request = new XMLHttpRequest()
  request.open("POST", "/api/upload")
  request.setRequestHeader("X-CSRF", "1")
  request.upload.onprogress = (e) => { bar.value = e.loaded / e.total }
  bar.value = 0
  bar.hidden = false
  await new Promise((done) => {
    request.onloadend = done
    request.send(new Blob([new Uint8Array(4 << 20)]))
  })
  bar.hidden = true
  const refusal = request.getResponseHeader("Coatcheck-Error")
  showAnswer(`${request.status} ${request.statusText}`, request.responseText)
  if (refusal) stopped("POST /api/upload", `${request.status} ${refusal}`)
  else through("POST /api/upload", await putOn(bff, "/api/upload"), String(request.status), request.status === 200, "4 MB arrived")
  if (request.status === 401) await bff.refresh()
}

/** Listens to five events. EventSource sends no header of ours, and needs none: it can only read. */
export async function events(bff: Bff<User>) {
  const source = new EventSource("/api/events?every=300&count=5")
  let retell: ((words: string) => void) | undefined
  let heard = 0
  await new Promise<void>((done) => {
    source.addEventListener("tick", async (event) => {
      heard++
      $("answer").textContent = `event: tick\ndata: ${event.data}`
      if (heard === 5) done()
      if (heard > 1) return retell?.(`event ${heard} of 5`)
      const token = await putOn(bff, "/api/events") // more events may come meanwhile
      retell = through("GET /api/events", token, `event ${heard} of 5`, true, "as they come")
    })
    source.onerror = () => done()
  })
  source.close()
  if (heard === 0) stopped("GET /api/events", "the stream did not open")
}

/** Says something into a WebSocket, and hears it again. */
export async function socket(bff: Bff<User>) {
  const ws = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/socket`)
  const said = `hello, ${new Date().toLocaleTimeString()}`
  const heard = await new Promise<string>((done) => {
    ws.onopen = () => ws.send(said)
    ws.onmessage = (event) => done(String(event.data))
    ws.onclose = () => done("")
  })
  ws.close()
  showAnswer("WebSocket", heard ? `sent   ${said}\nheard  ${heard}` : "it did not open")
  if (heard === said) through("WebSocket /api/socket", await putOn(bff, "/api/socket"), "echo", true, "what was said")
  else stopped("WebSocket /api/socket", "it did not open")
}
