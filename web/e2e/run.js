// Runs all browser tests, several files at once, in one shared Chromium.
import { spawn } from "node:child_process"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium } from "playwright-core"

process.env.E2E_DIR = await mkdtemp(join(tmpdir(), "coatcheck-e2e-"))
const { certificate } = await import("./certificate.js")
const { flags } = await import("./house.js")

const server = await chromium.launchServer({ ...flags(await certificate()), timeout: 120_000 })
const here = new URL(".", import.meta.url).pathname
const files = (await readdir(here)).filter((name) => name.endsWith(".test.js")).sort()
const child = spawn(process.execPath, ["--test", "--test-concurrency=3", "--test-timeout=600000", ...files],
  { cwd: here, stdio: "inherit", env: { ...process.env, E2E_BROWSER: server.wsEndpoint() } })
const code = await new Promise((resolve) => child.on("exit", resolve))
await server.close()
await rm(process.env.E2E_DIR, { recursive: true })
process.exit(code ?? 1)
