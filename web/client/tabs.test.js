import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeServer, gate, json, newChannel, openTab, problem, stopDate, until } from "./testing.js";

const right = { email: "ada@shop.example", password: "right" };

async function twoTabs(t, signedIn) {
  const server = new FakeServer();
  if (signedIn) server.signIn();
  const channel = newChannel();
  const one = openTab(t, server, { channel });
  const two = openTab(t, server, { channel });
  await Promise.all([one.bff.ready, two.bff.ready]);
  one.told.length = two.told.length = 0;
  return { server, channel, one, two };
}

test("a sign-out is seen in the other tab, without a question", async (t) => {
  const { server, one, two } = await twoTabs(t, true);
  const asked = server.calls.length;
  await one.bff.logout();
  await until(() => two.bff.session.status === "anonymous");
  assert.deepEqual(two.told, ["change anonymous", "logout other_tab"]);
  assert.equal(server.calls.length, asked + 1);
});

test("a sign-in is seen in the other tab", async (t) => {
  const { one, two } = await twoTabs(t, false);
  await one.bff.login(right);
  await until(() => two.bff.session.status === "authenticated");
  assert.deepEqual(two.told, ["change authenticated", "login ada@shop.example"]);
  assert.equal(two.bff.session.id, one.bff.session.id);
});

test("another person's sign-in replaces the one in the other tab", async (t) => {
  const { one, two } = await twoTabs(t, true);
  await one.bff.login({ email: "grace@shop.example", password: "right" });
  await until(() => two.told.length === 3);
  assert.deepEqual(two.told, ["change authenticated", "logout replaced", "login grace@shop.example"]);
});

test("word of an older sign-out does not end a newer session", async (t) => {
  stopDate(t);
  const { server, channel, one, two } = await twoTabs(t, true);
  const asked = server.calls.length;
  const old = new BroadcastChannel(channel);
  t.after(() => old.close());
  old.postMessage({ type: "logout", id: "an older one" });
  await until(() => server.calls.length === asked + 2); // both ask
  await Promise.all([one.bff.refresh(), two.bff.refresh()]);
  assert.deepEqual([...one.told, ...two.told], []);
});

test("what was asked before the other tab's sign-in says nothing after it", async (t) => {
  const { server, one, two } = await twoTabs(t, true);
  const late = gate();
  server.answers["GET /api/late"] = async () => {
    await late.opened;
    return problem(401, "session_expired", { reason: "signed_out" });
  };
  const call = two.bff.fetch("/api/late");
  await one.bff.login(right);
  await until(() => two.bff.session.id === one.bff.session.id);
  two.told.length = 0;
  late.open();
  await call;
  assert.deepEqual(two.told, []);
});

test("a question on its way when word comes is not taken for the answer", async (t) => {
  const { server, one, two } = await twoTabs(t, false);
  const late = gate();
  let first = true;
  server.answers["GET /bff/session"] = async () => {
    if (!first) return json(200, server.document());
    first = false;
    await late.opened;
    return json(200, { authenticated: false });
  };
  const question = two.bff.refresh();
  await one.bff.login(right);
  await until(() => two.bff.session.status === "authenticated");
  late.open();
  await question;
  assert.equal(two.bff.session.status, "authenticated");
});

test("a page out of the back/forward cache asks again", async (t) => {
  const listeners = new Set();
  globalThis.addEventListener = (name, fn) => name === "pageshow" && listeners.add(fn);
  globalThis.removeEventListener = (_, fn) => listeners.delete(fn);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const server = new FakeServer();
  server.signIn();
  const { bff, told } = openTab(t, server);
  await bff.ready;
  const show = (persisted) => listeners.forEach((fn) => fn({ persisted }));
  show(false);
  await bff.fetch("/api/x");
  assert.equal(server.count("GET", "/bff/session"), 1);
  server.kill("signed_out");
  show(true);
  await until(() => bff.session.status === "anonymous");
  assert.equal(told.at(-1), "logout signed_out");
  bff.close();
  assert.equal(listeners.size, 0);
});

test("after close nothing is heard", async (t) => {
  const { one, two } = await twoTabs(t, true);
  two.bff.close();
  await one.bff.logout();
  await new Promise((r) => setImmediate(r));
  assert.deepEqual(two.told, []);
});

test("after close no clock runs", async (t) => {
  const server = new FakeServer();
  server.signIn();
  server.idle = 30;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { bff } = openTab(t, server, { initial: server.document() });
  bff.close();
  t.mock.timers.tick(3_600_000); // the warning is due at once
  await new Promise((r) => setImmediate(r));
  assert.equal(server.calls.length, 0);
});
