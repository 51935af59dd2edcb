// docs/start-react-vite.md, followed to the letter, from the empty folder on. Only its
// ports are others, because those may be taken.
import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { browse, demo, freePort, people, until } from "./house.js"

const home = new URL("../..", import.meta.url).pathname.replace(/\/$/, "")
const shell = ["-eu", "-o", "pipefail", "-c"]

/** A long-running command of the page's; `stop` ends it with all that it started. */
function start(command, options) {
  const child = spawn("bash", [...shell, command], { ...options, detached: true })
  let log = ""
  child.stdout.on("data", (b) => { log += b })
  child.stderr.on("data", (b) => { log += b })
  const ended = new Promise((resolve) => child.on("exit", resolve))
  return { log: () => log, stop: async () => { try { process.kill(-child.pid, "SIGTERM") } catch { /* it has ended */ } await ended } }
}

test("React and Vite, from an empty folder", async (t) => {
  const [house, browser] = await Promise.all([demo(), browse()])
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-start-"))
  const context = await browser.newContext()
  const page = await context.newPage()
  const running = {}, said = []
  let done = false
  t.after(async () => {
    if (!done) console.error([...said, ...Object.values(running).map((r) => r.log())].join("\n"))
    for (const r of Object.values(running)) await r.stop()
    await context.close()
    await browser.close()
    await house.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const ports = { 8080: await freePort(), 5173: await freePort() }
  const text = (await readFile(join(home, "docs/start-react-vite.md"), "utf8")).replace(/\b(8080|5173)\b/g, (p) => ports[p])
    .replace("~/coatcheck", home).replace("http://127.0.0.1:9000", house.api)
  const at = `http://localhost:${ports[8080]}`
  const options = { cwd: dir, env: { ...process.env, CI: "1", npm_config_fetch_retries: "5" } }
  const blocks = [...text.matchAll(/<!-- test:(env|run|file|start)(?: (\S+))? -->\n```\w+\n(.*?)\n```/gs)].map(([, kind, name, body]) => ({ kind, name, body }))
  assert.deepEqual(blocks.map((b) => b.name ?? b.kind), ["env", "run", "src/bff.ts", "src/App.tsx", "coatcheck.yaml", "vite", "coatcheck", "run"])
  const follow = async ({ kind, name, body }) => {
    switch (kind) {
      case "env": {
        const { stdout } = await promisify(execFile)("bash", [...shell, `${body}\nenv -0`], options)
        for (const line of stdout.split("\0").filter(Boolean)) options.env[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1)
        break
      }
      case "run":
        await promisify(execFile)("bash", [...shell, body], options)
        break
      case "file":
        await mkdir(dirname(join(options.cwd, name)), { recursive: true })
        await writeFile(join(options.cwd, name), body + (name === "coatcheck.yaml" ? `\nadmin: {listen: "127.0.0.1:0"}\n` : "\n"))
        break
      case "start":
        running[name] = start(body, options)
    }
    if (body.includes("cd shop")) options.cwd = join(dir, "shop")
  }
  const answers = (url) => fetch(url).then((r) => r.ok, () => false)

  for (const block of blocks.slice(0, -1)) await follow(block)
  await until("Vite", () => answers(`http://localhost:${ports[5173]}/`))
  await until("Coatcheck", () => answers(at))
  page.on("console", (message) => said.push(message.text()))
  await page.goto(at)
  await page.fill("[name=email]", people.ada.email)
  await page.fill("[name=password]", "wrong")
  await page.click("text=Sign in")
  await page.waitForSelector("text=not the right password")
  await page.fill("[name=password]", people.ada.password)
  await page.click("text=Sign in")
  await page.waitForSelector("text=Hello, Ada Lovelace")
  await page.fill("[name=text]", "weave")
  await page.click("text=Add")
  await page.waitForSelector("li >> text=weave")

  // Hot reload: the page changes and is the same page still. Vite tells of a change whoever
  // is connected then, and nobody later.
  await until("the page's socket to Vite", () => said.some((text) => text.includes("[vite] connected")))
  await page.evaluate(() => { window.same = true })
  const app = join(options.cwd, "src/App.tsx")
  // In one write over a shorter text: of a file that is emptied first Vite may see only that.
  const changed = (await readFile(app, "utf8")).replace("Hello, ", "Welcome, ")
  await writeFile(app, changed, { flag: "r+" })
  await page.waitForSelector("text=Welcome, Ada Lovelace")
  assert.equal(await page.evaluate(() => window.same), true, "the page was loaded anew")

  // Without its dev server the page is told so, and Coatcheck goes on.
  await running.vite.stop()
  assert.equal((await fetch(at)).status, 502)
  assert.equal((await fetch(`${at}/bff/session`, { headers: { Origin: at } })).status, 200)

  // In production: built files. The page is signed out first, for memory forgets.
  await running.coatcheck.stop()
  await follow(blocks.at(-1))
  await follow(blocks.find((b) => b.name === "coatcheck"))
  await until("Coatcheck", () => answers(at))
  await page.goto(at)
  await page.fill("[name=email]", people.ada.email)
  await page.fill("[name=password]", people.ada.password)
  await page.click("text=Sign in")
  await page.waitForSelector("text=Welcome, Ada Lovelace")
  await page.reload()
  await page.waitForSelector("text=Welcome, Ada Lovelace")
  await page.click("text=Sign out")
  await page.waitForSelector("text=Sign in")
  done = true
})
