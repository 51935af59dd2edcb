// configs/openapi.yaml, as tools for OpenAPI read it, and this client's types beside it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { compile } from "json-schema-to-typescript";
import { parse } from "yaml";

const here = fileURLToPath(new URL(".", import.meta.url));
const text = await readFile(join(here, "../../configs/openapi.yaml"), "utf8");

test("it is an OpenAPI 3.1 document", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(parse(text));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

test("the client's types agree with it", async (t) => {
  const { components: { schemas } } = JSON.parse(JSON.stringify(parse(text)).replaceAll("#/components/schemas/", "#/$defs/"));
  const types = await compile({ title: "Api", $defs: schemas }, "Api", { unreachableDefinitions: true, bannerComment: "", format: false });
  const at = await mkdtemp(join(here, "node_modules/openapi-"));
  t.after(() => rm(at, { recursive: true }));
  await writeFile(join(at, "api.d.ts"), types);
  await writeFile(join(at, "agree.ts"), `
    import type * as Api from "./api.d.ts";
    import type { Problem, Reason, SessionDocument } from "../../client.js";
    type Document = Api.Authenticated | Api.Anonymous | Api.Step;
    type Keys<T> = T extends unknown ? keyof T : never;
    type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : never : never;
    export const document = (d: Document): SessionDocument => d;
    export const problem = (p: Api.Problem): Problem => p;
    export const reason = (r: Api.Reason): Reason => r;
    export const keys: Same<Keys<Document>, keyof SessionDocument> = true;
    export const problemKeys: Same<Exclude<keyof Api.Problem, "type"> | "body", keyof Problem> = true;
  `);
  const { stdout } = await promisify(execFile)(join(here, "node_modules/.bin/tsc"),
    ["--ignoreConfig", "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--allowImportingTsExtensions", "--types", "", join(at, "agree.ts")]).catch((e) => e);
  assert.equal(stdout, "");
});
