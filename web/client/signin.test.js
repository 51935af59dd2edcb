// Sign-in at a provider: where the page is sent, and what it knows before and after.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BffError } from "./client.js";
import { FakeServer, json, newChannel, openTab, problem, until } from "./testing.js";

const offer = { frontend: "shop", providers: ["id", "other"], fields: ["email", "password"] };

/** A tab at a frontend with providers; `went` is where it was sent. */
function openShop(t, { signedIn = false } = {}) {
  const server = new FakeServer();
  if (signedIn) server.signIn();
  server.answers["GET /bff/session"] = () => json(200, server.live ? server.document() : { ...server.document(), ...offer });
  const went = [];
  return { server, went, ...openTab(t, server, { navigate: (address) => went.push(address) }) };
}

/** Makes the page's address one, for as long as the test runs. */
function at(t, href) {
  globalThis.location = { href };
  t.after(() => delete globalThis.location);
}

const query = (address) => Object.fromEntries(new URL(address).searchParams);

test("the page knows what is offered", async (t) => {
  const { bff } = openShop(t);
  assert.deepEqual(await bff.ready, { status: "anonymous", user: null, ...offer });
});

test("signIn leaves for the provider, and the way back is this page with its fragment", async (t) => {
  at(t, "https://shop.example/cart?a=1#top");
  const { bff, went } = openShop(t);
  await bff.signIn(); // before the first answer: the frontend's name is waited for
  assert.equal(went[0].split("?")[0], "https://shop.example/bff/login");
  assert.deepEqual(query(went[0]), { frontend: "shop", return_to: "https://shop.example/cart?a=1#top" });
});

test("signIn says what it is asked to, by the names of the parameters", async (t) => {
  at(t, "https://shop.example/");
  const { bff, went } = openShop(t);
  await bff.signIn({ provider: "other", returnTo: "/x", prompt: "login", maxAge: 0, acr: "gold silver", loginHint: "ada@id.test", uiLocales: "de fr" });
  assert.deepEqual(query(went[0]), { frontend: "shop", provider: "other", return_to: "/x", prompt: "login", max_age: "0", acr: "gold silver",
    login_hint: "ada@id.test", ui_locales: "de fr" });
});

test("an address that is too long to come back to is the start", async (t) => {
  at(t, "https://shop.example/?q=" + "x".repeat(1100));
  const { bff, went } = openShop(t);
  await bff.signIn();
  assert.deepEqual(query(went[0]), { frontend: "shop" });
});

test("without an answer of Coatcheck's the person is sent all the same", async (t) => {
  at(t, "https://shop.example/");
  const { bff, server, went } = openShop(t);
  server.answers["GET /bff/session"] = () => problem(503, "store_unavailable");
  await bff.signIn();
  assert.deepEqual(query(went[0]), { return_to: "https://shop.example/" });
});

test("stepUp asks for what the page names, or what the API's answer does", async (t) => {
  at(t, "https://shop.example/");
  const { bff, server, went } = openShop(t, { signedIn: true });
  await bff.ready;
  assert.equal(await bff.stepUp({ acr: "gold", maxAge: 300 }), true);
  server.answers["POST /api/pay"] = () => json(401, { error: "no" }, { "Coatcheck-Login": "acr=gold+silver&max_age=60" });
  assert.equal(await bff.stepUp(await bff.fetch("/api/pay", { method: "POST" })), true);
  const refused = await bff.json("/api/pay", { method: "POST" }).catch((e) => e);
  assert.equal(await bff.stepUp(refused), true);
  const back = { frontend: "shop", return_to: "https://shop.example/" };
  assert.deepEqual(went.map(query), [{ ...back, acr: "gold", max_age: "300" }, { ...back, acr: "gold silver", max_age: "60" }, { ...back, acr: "gold silver", max_age: "60" }]);
  assert.equal(bff.session.status, "authenticated", "a demand for more signed the person out");
});

test("stepUp does nothing where nothing is asked for", async (t) => {
  const { bff, server, went } = openShop(t, { signedIn: true });
  await bff.ready;
  server.answers["GET /api/x"] = () => json(401, {});
  assert.equal(await bff.stepUp(await bff.fetch("/api/x")), false);
  assert.equal(await bff.stepUp(await bff.json("/api/x").catch((e) => e)), false);
  assert.equal(await bff.stepUp(new BffError({ code: "network_error", status: 0 })), false);
  assert.deepEqual(went, []);
});

test("a sign-out goes on to the provider's, once everybody here knows", async (t) => {
  const { bff, server, went, told } = openShop(t, { signedIn: true });
  await bff.ready;
  const next = "/bff/logout/" + "a".repeat(43);
  server.answers["POST /bff/logout"] = () => { server.kill("signed_out"); return json(200, { continue: next }); };
  await bff.logout();
  assert.deepEqual(went, ["https://shop.example" + next]);
  assert.deepEqual(told, ["change authenticated", "change anonymous", "logout signed_out"]);
  await bff.logout();
  assert.equal(went.length, 2); // as often as Coatcheck says so
  server.answers["POST /bff/logout"] = () => new Response(null, { status: 204 });
  await bff.logout();
  assert.equal(went.length, 2);
});

test("after the end the page still knows its frontend, and what was offered if it ever heard", async (t) => {
  const { bff, server } = openShop(t);
  await bff.ready;
  server.signIn();
  await bff.refresh();
  server.kill("expired");
  await bff.fetch("/api/x");
  assert.deepEqual(bff.session, { status: "anonymous", user: null, reason: "expired", ...offer });

  const fresh = openShop(t, { signedIn: true });
  await fresh.bff.ready;
  fresh.server.kill("revoked");
  await fresh.bff.fetch("/api/x");
  assert.deepEqual(fresh.bff.session, { status: "anonymous", user: null, frontend: "shop", reason: "revoked" });
  await fresh.bff.refresh();
  assert.deepEqual(fresh.bff.session.providers, offer.providers);
});

test("a page that comes back from the provider tells the tabs that know nobody, or somebody else, and no others", async (t) => {
  const server = new FakeServer(), channel = newChannel();
  const { bff: waiting } = openTab(t, server, { channel });
  await waiting.ready;
  server.signIn(); // in another tab, by way of the provider
  const { bff: back } = openTab(t, server, { channel });
  await back.ready;
  await until(() => waiting.session.id === back.session.id);
  const asked = server.count("GET", "/bff/session");
  const { bff: third } = openTab(t, server, { channel });
  await third.ready;
  server.signIn({ email: "bob@shop.example" });
  const { bff: other } = openTab(t, server, { channel });
  await other.ready;
  await until(() => [waiting, back, third].every((tab) => tab.session.id === other.session.id));
  assert.equal(server.count("GET", "/bff/session"), asked + 5); // two openings, and three tabs that asked once each
});
