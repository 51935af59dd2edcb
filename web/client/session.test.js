import assert from "node:assert/strict";
import { test } from "node:test";
import { BffError, isBffError } from "./client.js";
import { FakeServer, gate, json, newChannel, openTab, problem, stopDate, until } from "./testing.js";

const right = { email: "ada@shop.example", password: "right" };

test("a page that opens anonymous asks once and tells nobody of a sign-out", async (t) => {
  const server = new FakeServer();
  const { bff, told } = openTab(t, server);
  assert.equal(bff.session.status, "loading");
  assert.deepEqual(await bff.ready, { status: "anonymous", user: null });
  assert.deepEqual(told, ["change anonymous"]);
  assert.equal(server.calls.length, 1);
});

test("a page that opens signed in knows who it is, and calls that no sign-in", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff, told } = openTab(t, server);
  const s = await bff.ready;
  assert.equal(s.user.email, "ada@shop.example");
  assert.equal(s.frontend, "shop");
  assert.ok(Math.abs(s.idleExpiresAt - Date.now() - 1_800_000) < 60_000);
  assert.ok(Math.abs(s.expiresAt - Date.now() - 43_200_000) < 60_000);
  assert.deepEqual(told, ["change authenticated"]);
});

test("a document that came with the page saves the question", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server, { initial: server.document() });
  assert.equal(bff.session.status, "authenticated");
  await bff.ready;
  assert.equal(server.calls.length, 0);
});

test("sign-in and sign-out", async (t) => {
  const server = new FakeServer();
  const { bff, told } = openTab(t, server);
  await bff.ready;
  const s = await bff.login(right);
  assert.equal(s, bff.session);
  assert.equal(s.status, "authenticated");
  await bff.logout();
  assert.deepEqual(bff.session, { status: "anonymous", user: null, frontend: "shop", reason: "signed_out" });
  assert.deepEqual(told, ["change anonymous", "change authenticated", "login ada@shop.example", "change anonymous", "logout signed_out"]);
  const [, login, logout] = server.calls;
  assert.equal(login.headers.get("X-CSRF"), "1");
  assert.equal(login.headers.get("Content-Type"), "application/json");
  assert.deepEqual(JSON.parse(login.body), right);
  assert.equal(logout.headers.get("X-CSRF"), "1");
  assert.equal(logout.init.keepalive, true);
  await bff.logout();
});

test("a sign-in before the first answer is told, and the late answer does not undo it", async (t) => {
  const server = new FakeServer();
  const late = gate();
  server.answers["GET /bff/session"] = async () => {
    await late.opened;
    return json(200, { authenticated: false });
  };
  const { bff, told } = openTab(t, server);
  await bff.login(right);
  late.open();
  await bff.ready;
  assert.equal(bff.session.status, "authenticated");
  assert.deepEqual(told, ["change authenticated", "login ada@shop.example"]);
});

test("a refused sign-in throws its code and changes nothing", async (t) => {
  const server = new FakeServer();
  server.signIn({ email: "grace@shop.example" });
  const { bff, told } = openTab(t, server);
  const before = await bff.ready;
  await assert.rejects(bff.login({ ...right, password: "wrong" }), (e) => isBffError(e, "invalid_credentials") && e.status === 401);
  assert.equal(bff.session, before);
  server.answers["POST /bff/login"] = () => problem(429, "too_many_attempts", {}, { "Retry-After": "42" });
  await assert.rejects(bff.login(right), (e) => e.code === "too_many_attempts" && e.retryAfter === 42);
  assert.deepEqual(told, ["change authenticated"]);
});

test("a further step signs nobody in or out", async (t) => {
  const server = new FakeServer();
  const { bff, told } = openTab(t, server);
  await bff.ready;
  server.answers["POST /bff/login"] = () => json(200, { authenticated: false, step: "otp", fields: ["otp"] });
  assert.deepEqual(await bff.login(right), { status: "anonymous", user: null, step: "otp", fields: ["otp"] });
  assert.deepEqual(told, ["change anonymous"]);
});

test("a sign-in over a session ends that one first", async (t) => {
  const server = new FakeServer();
  server.signIn({ email: "grace@shop.example" });
  const { bff, told } = openTab(t, server);
  await bff.ready;
  told.length = 0;
  await bff.login(right);
  assert.deepEqual(told, ["change authenticated", "logout replaced", "login ada@shop.example"]);
});

test("a sign-out that Coatcheck could not make leaves the person signed in", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server);
  const before = await bff.ready;
  server.answers["POST /bff/logout"] = () => problem(503, "store_unavailable", {}, { "Retry-After": "5" });
  await assert.rejects(bff.logout(), (e) => e instanceof BffError && e.code === "store_unavailable" && e.retryAfter === 5);
  assert.equal(bff.session, before);
});

const html = () => new Response("<!doctype html><title>Vite</title>", { headers: { "Content-Type": "text/html" } });
for (const [what, answer, name] of [
  ["no answer (an origin that is not listed)", () => { throw new TypeError("Failed to fetch"); }, "BffError"],
  ["HTML (the development server's own port)", html, "SyntaxError"],
  ["503", () => problem(503, "store_unavailable"), "BffError"],
]) {
  test(`a first answer that is ${what} is the status "error", said once in the console; a second try settles it`, async (t) => {
    const said = t.mock.method(console, "error", () => {});
    const server = new FakeServer();
    server.answers["GET /bff/session"] = answer;
    const { bff, told } = openTab(t, server);
    const session = await bff.ready;
    assert.equal(session.status, "error");
    assert.equal(session.user, null);
    assert.equal(session.error.name, name);
    assert.equal(said.mock.callCount(), 1);
    assert.match(said.mock.calls[0].arguments[0], /^No answer of Coatcheck at https:\/\/shop\.example\/bff\/: .*listed origin/);
    assert.equal(told.filter((line) => line.startsWith("error")).length, 1, told.join());
    delete server.answers["GET /bff/session"];
    server.signIn();
    assert.equal((await bff.refresh()).status, "authenticated");
    assert.ok(!told.some((line) => line.startsWith("log")), "found, not signed in: " + told.join());
  });
}

test("an error later on leaves the session as it was", async (t) => {
  const said = t.mock.method(console, "error", () => {});
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server);
  const before = await bff.ready;
  server.answers["GET /bff/session"] = html;
  await assert.rejects(bff.refresh());
  assert.equal(bff.session, before);
  assert.equal(said.mock.callCount(), 0);
});

test("questions at one time are one question", async (t) => {
  const server = new FakeServer();
  const { bff } = openTab(t, server);
  await bff.ready;
  server.signIn();
  const all = await Promise.all([bff.refresh(), bff.refresh(), bff.refresh()]);
  assert.equal(server.count("GET", "/bff/session"), 2);
  assert.ok(all.every((s) => s === bff.session));
});

test("the snapshot is the same object until something changes", async (t) => {
  stopDate(t);
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server);
  const first = await bff.ready;
  let changes = 0;
  const stop = bff.subscribe(() => changes++);
  await bff.refresh();
  await bff.fetch("/api/me");
  assert.equal(bff.session, first);
  assert.equal(changes, 0);
  server.idle = 3600;
  await bff.extend();
  assert.notEqual(bff.session, first);
  assert.equal(changes, 1);
  stop();
  server.idle = 1800;
  await bff.refresh();
  assert.equal(changes, 1);
});

test("extending a dead session ends it here too", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff, told } = openTab(t, server);
  await bff.ready;
  server.kill("revoked");
  await assert.rejects(bff.extend(), (e) => e.code === "session_expired" && e.problem.reason === "revoked");
  assert.equal(told.at(-1), "logout revoked");
});

test("the user goes through the page's own check", async (t) => {
  const server = new FakeServer();
  server.signIn({ email: "ADA" });
  const { bff } = openTab(t, server, { parseUser: (u) => ({ email: u.email.toLowerCase() }) });
  assert.equal((await bff.ready).user.email, "ada");
});

test("a listener that throws stops no other", async (t) => {
  const server = new FakeServer();
  const { bff } = openTab(t, server);
  const reported = [];
  globalThis.reportError = (e) => reported.push(e.message); // as browsers have it
  t.after(() => delete globalThis.reportError);
  let reached = false;
  bff.on("change", () => { throw new Error("the page's own fault"); });
  bff.on("change", () => (reached = true));
  await bff.ready;
  assert.ok(reached);
  assert.deepEqual(reported, ["the page's own fault"]);
});

test("the end is announced once, after a look whether another tab has moved it", async (t) => {
  stopDate(t);
  const server = new FakeServer();
  server.signIn();
  server.idle = 30;
  const { bff, told } = openTab(t, server, { expiringMs: 60_000 });
  await bff.ready;
  await until(() => told.includes("expiring"));
  assert.equal(server.count("GET", "/bff/session"), 2);
  await bff.refresh();
  await bff.refresh();
  assert.equal(told.filter((x) => x === "expiring").length, 1);
  server.idle = 1800; // somebody is active after all
  await bff.extend();
  t.mock.timers.tick(5000); // what ends now is another end
  server.idle = 30;
  await bff.refresh();
  await until(() => told.filter((x) => x === "expiring").length === 2);
});

test("another tab's activity takes the warning back before it is told", async (t) => {
  const server = new FakeServer();
  server.signIn();
  server.idle = 30;
  const initial = server.document();
  server.idle = 1800;
  const { bff, told } = openTab(t, server, { initial });
  await until(() => bff.session.idleExpiresAt - Date.now() > 1_000_000);
  assert.ok(!told.includes("expiring"));
});

test("a session that has run out ends by itself", async (t) => {
  stopDate(t); // it must not run out before it was warned of
  const server = new FakeServer();
  server.signIn();
  server.idle = 1;
  const { bff, told } = openTab(t, server);
  await bff.ready;
  await until(() => told.includes("expiring"));
  server.kill("expired");
  await until(() => told.includes("logout expired"));
  assert.equal(bff.session.reason, "expired");
});

test("another credential for the same person: nobody leaves, nobody comes, and other tabs look again", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const channel = newChannel();
  const here = openTab(t, server, { channel }), there = openTab(t, server, { channel });
  await Promise.all([here.bff.ready, there.bff.ready]);
  here.told.length = 0;
  server.answers["POST /bff/exchange/organisation"] = (_, body) => {
    server.live = { ...server.live, user: { email: "ada@shop.example", organisation: JSON.parse(body).organisation } };
    return json(200, server.document());
  };
  const session = await here.bff.exchange("organisation", { organisation: "2" });
  assert.equal(session.user.organisation, "2");
  await until(() => there.bff.session.user.organisation === "2");
  assert.ok(!here.told.some((what) => /^log(in|out)/.test(what)));
});

test("a refused exchange changes nothing", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server);
  await bff.ready;
  const before = bff.session;
  server.answers["POST /bff/exchange/password"] = () => problem(401, "invalid_credentials");
  await assert.rejects(bff.exchange("password", { old: "x", new: "y" }), (e) => e.code === "invalid_credentials");
  assert.equal(bff.session, before);
});

test("reload asks for the person anew", async (t) => {
  const server = new FakeServer();
  server.signIn();
  const { bff } = openTab(t, server);
  await bff.ready;
  await bff.extend({ reload: true });
  assert.equal(server.calls.at(-1).body, '{"reload":true}');
  await bff.extend();
  assert.equal(server.calls.at(-1).body, "{}");
});
