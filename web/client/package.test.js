// The package as it is published, and the file that every Coatcheck serves.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { publint } from "publint";

const here = fileURLToPath(new URL(".", import.meta.url));
const read = (name) => readFile(join(here, name), "utf8");
const run = (file, ...args) => promisify(execFile)(join(here, "node_modules/.bin", file), args, { cwd: here });
const minify = async (name) => (await transform(await read(name), { minify: true, format: "esm", target: "es2022" })).code;

test("client.min.js is client.js, minified: npm run build", async () => {
  assert.equal(await read("client.min.js"), await minify("client.js"));
});

for (const [name, most] of [["client.js", 2750], ["react.js", 300], ["vue.js", 300], ["angular.js", 300], ["svelte.js", 300]]) {
  test(`${name} is at most ${most} bytes, minified and gzipped`, async (t) => {
    const size = gzipSync(await minify(name), { level: 9 }).length;
    t.diagnostic(size + " bytes");
    assert.ok(size <= most, size + " bytes");
  });
}

test("the client needs nothing and evaluates nothing", async () => {
  const source = await read("client.js");
  assert.doesNotMatch(source.replace(/^\s*\/\/.*$/gm, ""), /\bimport\b|\beval\b|\bnew Function\b|innerHTML|localStorage|sessionStorage|document\.cookie/);
});

test("the types hold, for strict callers", async (t) => {
  const { stdout } = await run("tsc").catch((e) => e);
  assert.equal(stdout, "");
});

test("what is published is what is meant, and fits every bundler", async (t) => {
  const { messages } = await publint({ pkgDir: here, strict: true });
  assert.deepEqual(messages, []);
  const at = await mkdtemp(join(tmpdir(), "coatcheck-pack-"));
  t.after(() => rm(at, { recursive: true }));
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", at], { cwd: here });
  const [packed] = [JSON.parse(stdout)].flat();
  const { files, dependencies } = JSON.parse(await read("package.json"));
  assert.deepEqual(packed.files.map((f) => f.path).sort(), [...files, "LICENSE", "README.md", "package.json"].sort());
  assert.equal(await read("LICENSE"), await read("../../LICENSE"));
  assert.equal(dependencies, undefined);
  await run("attw", join(at, packed.filename), "--profile", "esm-only");
});
