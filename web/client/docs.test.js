// The components of the start pages, compiled by each framework's own compiler.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const block = async (page, mark) => {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  const found = text.match(new RegExp("<!-- test:compile " + mark + " -->\n```\\w+\n([^]*?)\n```\n"));
  assert.ok(found, page + " has no component");
  return found[1];
};

test("start-vue.md", async () => {
  const { parse, compileScript, compileTemplate } = await import("vue/compiler-sfc");
  const source = await block("start-vue.md", "vue");
  const { descriptor, errors } = parse(source, { filename: "App.vue" });
  assert.deepEqual(errors, []);
  const script = compileScript(descriptor, { id: "app" });
  const template = compileTemplate({ id: "app", filename: "App.vue", source: descriptor.template.content, compilerOptions: { bindingMetadata: script.bindings } });
  assert.deepEqual(template.errors, []);
  for (const name of ["session", "signIn", "problem"]) assert.ok(name in script.bindings, name);
});

test("start-svelte.md", async () => {
  const { compile } = await import("svelte/compiler");
  const { warnings } = compile(await block("start-svelte.md", "svelte"), { generate: "client" });
  assert.deepEqual(warnings.map((w) => w.message), []);
});

test("start-angular.md", async () => {
  const { parseTemplate } = await import("@angular/compiler");
  const source = await block("start-angular.md", "angular");
  const template = source.match(/template: `([^]*?)`,\n\}\)/)[1];
  assert.equal(parseTemplate(template, "app.html").errors, null);
  for (const [, name] of template.matchAll(/\b(\w+)\(/g)) {
    if (!["switch", "case"].includes(name)) assert.match(source, new RegExp(`(readonly|async|^) ?\\s*${name}\\b`, "m"), name);
  }
});
