import assert from "node:assert/strict";
import { test } from "node:test";
import { isBffError } from "./client.js";
import { FakeServer, gate, json, openTab, problem } from "./testing.js";

async function signedIn(t, options) {
  const server = new FakeServer();
  server.signIn();
  const tab = openTab(t, server, options);
  await tab.bff.ready;
  server.calls.length = 0;
  tab.told.length = 0;
  return { server, ...tab };
}

test("the header goes with what changes things, and only with that", async (t) => {
  const { server, bff } = await signedIn(t);
  await bff.fetch("/api/x");
  await bff.fetch("/api/x", { method: "head" });
  await bff.fetch("/api/x", { method: "post", headers: { "X-Own": "1" } });
  await bff.fetch(new Request("https://shop.example/api/x", { method: "DELETE", headers: { "X-Own": "2" } }));
  assert.deepEqual(server.calls.map((c) => [c.method, c.headers.get("X-CSRF"), c.headers.get("X-Own")]),
    [["GET", null, null], ["HEAD", null, null], ["POST", "1", "1"], ["DELETE", "1", "2"]]);
  assert.ok(server.calls.every((c) => c.init.credentials === "include" && c.init.redirect === "manual"));
});

test("bodies go as they are", async (t) => {
  const { server, bff } = await signedIn(t);
  await bff.fetch("/api/x", { method: "POST", body: "text" });
  await bff.fetch("/api/x", { method: "PUT", body: new Blob(["blob"]) });
  await bff.fetch(new Request("https://shop.example/api/x", { method: "POST", body: "request" }));
  const form = new FormData();
  form.set("a", "form");
  await bff.fetch("/api/x", { method: "POST", body: form });
  assert.deepEqual(server.calls.slice(0, 3).map((c) => c.body), ["text", "blob", "request"]);
  assert.match(server.calls[3].headers.get("Content-Type"), /^multipart\/form-data; boundary=/);
  assert.match(server.calls[3].body, /form/);
});

test("addresses are Coatcheck's, whether whole, from the root, or below the base path", async (t) => {
  const { server, bff } = await signedIn(t);
  await bff.fetch("/api/a");
  await bff.fetch("api/b?x=1");
  await bff.fetch(new URL("https://shop.example/api/c"));
  assert.deepEqual(server.calls.map((c) => c.url), ["https://shop.example/api/a", "https://shop.example/api/b?x=1", "https://shop.example/api/c"]);
  for (const elsewhere of ["https://evil.example/api", "//evil.example/", "http://shop.example/", "https://shop.example:8443/"]) {
    await assert.rejects(bff.fetch(elsewhere), TypeError);
    await assert.rejects(bff.fetch(new Request(new URL(elsewhere, "https://shop.example"))), TypeError);
  }
  assert.equal(server.calls.length, 3);
});

test("a base path is part of every address", async (t) => {
  const server = new FakeServer();
  const { bff } = openTab(t, server, { base: "https://example.com/shop/bff/", initial: { authenticated: false } });
  await bff.fetch("api/a");
  await bff.refresh();
  assert.deepEqual(server.calls.map((c) => c.url), ["https://example.com/shop/api/a", "https://example.com/shop/bff/session"]);
});

test("JSON both ways", async (t) => {
  const { server, bff } = await signedIn(t);
  server.answers["POST /api/notes"] = (_, body) => json(201, { got: JSON.parse(body) });
  assert.deepEqual(await bff.json("/api/notes", { json: { text: "x" } }), { got: { text: "x" } });
  assert.equal(server.calls[0].headers.get("Content-Type"), "application/json");
  server.answers["PUT /api/notes"] = () => new Response(null, { status: 204 });
  assert.equal(await bff.json("/api/notes", { method: "PUT", json: null }), undefined);
  assert.equal(server.calls[1].body, "null");
});

test("errors are typed: Coatcheck's by its code, the API's with its body", async (t) => {
  const { server, bff } = await signedIn(t);
  server.answers["GET /api/x"] = () => problem(502, "upstream_unreachable", { request_id: "r1" });
  await assert.rejects(bff.json("/api/x"), (e) => isBffError(e, "upstream_unreachable") && e.status === 502 && e.problem.request_id === "r1");
  server.answers["GET /api/x"] = () => json(422, { code: "taken", field: "name" });
  await assert.rejects(bff.json("/api/x"), (e) => e.code === "api_error" && e.status === 422 && e.problem.body.code === "taken");
  server.answers["GET /api/x"] = () => new Response("<h1>oh</h1>", { status: 500 });
  await assert.rejects(bff.json("/api/x"), (e) => e.code === "api_error" && e.problem.body === undefined);
  assert.equal((await bff.fetch("/api/x")).status, 500);
});

test("no network is no sign-out, and an abort stays an abort", async (t) => {
  const { server, bff, told } = await signedIn(t);
  server.answers["GET /api/x"] = () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(bff.fetch("/api/x"), (e) => e.code === "network_error" && e.status === 0 && e.cause instanceof TypeError);
  server.answers["GET /bff/session"] = server.answers["GET /api/x"];
  await assert.rejects(bff.refresh(), { code: "network_error" });
  const controller = new AbortController();
  server.answers["GET /api/y"] = () => { controller.abort(); throw controller.signal.reason; };
  await assert.rejects(bff.fetch("/api/y", { signal: controller.signal }), { name: "AbortError" });
  assert.equal(bff.session.status, "authenticated");
  assert.deepEqual(told, []);
});

test("a redirect is a clear error", async (t) => {
  const { server, bff } = await signedIn(t);
  server.answers["GET /api/x"] = () => Object.defineProperty(new Response(null), "type", { value: "opaqueredirect" });
  await assert.rejects(bff.fetch("/api/x"), (e) => e.code === "redirected");
});

test("only Coatcheck's mark ends a session: not a 401 of the API, not a mark on another status", async (t) => {
  const { server, bff, told } = await signedIn(t);
  server.answers["GET /api/a"] = () => json(401, { error: "invalid_token" });
  server.answers["GET /api/b"] = () => problem(503, "store_unavailable");
  server.answers["GET /api/c"] = () => problem(403, "csrf_header_missing");
  server.answers["GET /api/d"] = () => new Response(null, { status: 200, headers: { "Coatcheck-Error": "session_expired" } });
  for (const p of "abcd") await bff.fetch("/api/" + p);
  assert.equal(bff.session.status, "authenticated");
  assert.deepEqual(told, []);
});

test("five refusals are one end", async (t) => {
  const { server, bff, told } = await signedIn(t);
  server.kill("upstream");
  const all = await Promise.all([1, 2, 3, 4, 5].map((n) => bff.fetch("/api/" + n)));
  assert.deepEqual(told, ["change anonymous", "logout upstream"]);
  assert.equal(bff.session.reason, "upstream");
  assert.equal((await all[3].json()).code, "session_expired"); // still there to be read
});

test("a cookie that is gone ends it as well", async (t) => {
  const { server, bff, told } = await signedIn(t);
  server.live = null;
  await bff.fetch("/api/x");
  assert.deepEqual(told, ["change anonymous", "logout signed_out"]);
});

test("so does asking when it is gone, and a dead ticket of unknown fate has expired", async (t) => {
  const one = await signedIn(t), two = await signedIn(t);
  one.server.live = null;
  await one.bff.refresh();
  assert.deepEqual(one.told, ["change anonymous", "logout signed_out"]);
  two.server.answers["GET /api/x"] = () => problem(401, "session_expired");
  await two.bff.fetch("/api/x");
  assert.deepEqual(two.told, ["change anonymous", "logout expired"]);
});

test("a late refusal of a call begun before the sign-in does not undo it", async (t) => {
  const { server, bff, told } = await signedIn(t);
  const late = gate();
  server.answers["GET /api/late"] = async () => {
    await late.opened;
    return problem(401, "session_expired", { reason: "revoked" });
  };
  const call = bff.fetch("/api/late");
  await bff.login({ email: "grace@shop.example", password: "right" });
  late.open();
  assert.equal((await call).status, 401);
  assert.equal(bff.session.user.email, "grace@shop.example");
  assert.deepEqual(told, ["change authenticated", "logout replaced", "login grace@shop.example"]);
});

test("a late answer to a question asked before the sign-out does not undo it", async (t) => {
  const { server, bff } = await signedIn(t);
  const late = gate();
  const document = server.document();
  server.answers["GET /bff/session"] = async () => {
    await late.opened;
    return json(200, document);
  };
  const question = bff.refresh();
  await bff.logout();
  late.open();
  await question;
  assert.equal(bff.session.status, "anonymous");
});

test("calls move the idle clock, forward only", async (t) => {
  const { server, bff } = await signedIn(t);
  const about = (seconds) => Math.abs(bff.session.idleExpiresAt - Date.now() - seconds * 1000) < 60_000;
  server.idle = 2400;
  await bff.fetch("/api/x");
  assert.ok(about(2400));
  server.idle = 1200;
  await bff.fetch("/api/x");
  assert.ok(about(2400));
  server.answers["GET /api/x"] = () => json(200, {}, { "Coatcheck-Idle-Expires-In": "soon" });
  await bff.fetch("/api/x");
  assert.ok(about(2400));
});

test("a late answer from before the sign-in does not move the new session's clock", async (t) => {
  const { server, bff } = await signedIn(t);
  const late = gate();
  server.answers["GET /api/late"] = async () => {
    await late.opened;
    return json(200, {}, { "Coatcheck-Idle-Expires-In": "9999" });
  };
  const call = bff.fetch("/api/late");
  const now = await bff.login({ email: "grace@shop.example", password: "right" });
  late.open();
  await call;
  assert.equal(bff.session, now);
});

test("a refusal whose body is still coming while somebody signs in does not undo it", async (t) => {
  const { server, bff } = await signedIn(t);
  const late = gate(), asked = gate();
  server.answers["GET /api/late"] = () => {
    const body = new ReadableStream({
      async pull(c) {
        asked.open();
        await late.opened;
        c.enqueue(new TextEncoder().encode("{}"));
        c.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status: 401, headers: { "Coatcheck-Error": "session_expired" } });
  };
  const call = bff.fetch("/api/late");
  await asked.opened;
  await bff.login({ email: "grace@shop.example", password: "right" });
  late.open();
  await call;
  assert.equal(bff.session.user.email, "grace@shop.example");
});

test("a refusal from before a session that was found by asking does not undo it", async (t) => {
  const { server, bff } = await signedIn(t);
  const late = gate();
  server.answers["GET /api/late"] = async () => {
    await late.opened;
    return problem(401, "session_expired");
  };
  const call = bff.fetch("/api/late");
  server.signIn({ email: "grace@shop.example" });
  await bff.refresh();
  late.open();
  await call;
  assert.equal(bff.session.user.email, "grace@shop.example");
});

test("a late answer to extend does not undo a sign-out", async (t) => {
  const { server, bff } = await signedIn(t);
  const late = gate();
  const document = server.document();
  server.answers["POST /bff/session"] = async () => {
    await late.opened;
    return json(200, document);
  };
  const extension = bff.extend();
  await bff.logout();
  late.open();
  assert.equal((await extension).status, "anonymous");
});
