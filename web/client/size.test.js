import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

// What counts is the minified module: at most 2.5 kB gzipped. A minifier is not
// at hand here; it takes a quarter off what is left once comments and indentation
// are gone.
test("the client stays small", async () => {
  const source = await readFile(new URL("client.js", import.meta.url), "utf8");
  const bare = source.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("//") && !line.startsWith("/**"));
  const size = gzipSync(bare.join("\n"), { level: 9 }).length;
  assert.ok(size <= 3100, `${size} bytes`);
});

test("the client needs nothing and evaluates nothing", async () => {
  const source = await readFile(new URL("client.js", import.meta.url), "utf8");
  assert.doesNotMatch(source.replace(/^\s*\/\/.*$/gm, ""), /\bimport\b|\beval\b|\bnew Function\b|innerHTML|localStorage|sessionStorage|document\.cookie/);
});
