// What the browser tests share: the built program, a browser, and bystanders.
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium } from "playwright-core"

const program = process.env.COATCHECK ?? new URL("../../coatcheck", import.meta.url).pathname

// run starts the program and resolves when its address answers; stop ends it.
export async function run(args, env, ready) {
  const child = spawn(program, args, { env: { ...process.env, ...env } })
  let log = ""
  child.stdout.on("data", (b) => { log += b })
  child.stderr.on("data", (b) => { log += b })
  const ended = new Promise((resolve) => child.on("exit", resolve))
  for (let i = 0; ; i++) {
    if (await fetch(ready).then((r) => r.ok, () => false)) break
    if (i > 200) throw new Error(`${program} does not answer at ${ready}:\n${log}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { log: () => log, stop: async () => { child.kill("SIGKILL"); await ended } }
}

export async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

// site serves a few files from memory; answer may be a function of the request.
export async function site(pages) {
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url, "http://x").pathname]
    if (typeof page === "function") return page(request, response)
    response.writeHead(page === undefined ? 404 : 200, { "Content-Type": "text/html" })
    response.end(page ?? "")
  })
  await new Promise((resolve) => server.listen(0, "localhost", resolve))
  return { port: server.address().port, stop: () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) } }
}

export function browse() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Playwright switches the back/forward cache off, which is what sign-out must survive.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  })
}

export async function folder() {
  const path = await mkdtemp(join(tmpdir(), "coatcheck-e2e-"))
  return { path, write: (name, text) => writeFile(join(path, name), text), remove: () => rm(path, { recursive: true }) }
}

// eavesdrop notes all that a page's script, network panel or console could show.
export function eavesdrop(context) {
  const heard = []
  context.on("response", async (response) => {
    // Headers as scripts see them: Set-Cookie and Cookie are not among them.
    heard.push(JSON.stringify(response.headers()), await response.text().catch(() => ""))
  })
  context.on("console", (message) => heard.push(message.text()))
  return heard
}
