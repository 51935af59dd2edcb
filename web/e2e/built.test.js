// The committed pages are what their sources make, byte for byte.
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { cp, mkdtemp, readFile, readdir, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"

const demo = new URL("../demo/", import.meta.url).pathname

async function contents(dir) {
  const names = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name))
  return Object.fromEntries(await Promise.all(names.sort().map(async (name) => [name.slice(dir.length), (await readFile(name)).toString("base64")])))
}

test("the demo's pages are built from their sources", async () => {
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-demo-"))
  const copy = join(dir, "demo")
  for (const name of ["src", "package.json", "tsconfig.json", "vite.config.ts"]) await cp(join(demo, name), join(copy, name), { recursive: true })
  await cp(join(demo, "../client"), join(dir, "client"), { recursive: true })
  await symlink(join(demo, "node_modules"), join(copy, "node_modules"))
  await promisify(execFile)("npm", ["run", "build"], { cwd: copy })
  const fresh = await contents(join(copy, "dist")), committed = await contents(join(demo, "dist"))
  assert.ok(Object.keys(committed).length >= 8)
  assert.deepEqual(Object.keys(fresh), Object.keys(committed), "run npm run build in web/demo")
  for (const [name, bytes] of Object.entries(fresh)) assert.ok(bytes === committed[name], `${name} differs: run npm run build in web/demo`)
  await rm(dir, { recursive: true })
})
