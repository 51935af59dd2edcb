// Each binding with its framework, as it is published: renders what is known, follows
// a change, and lets go when the component does.

import "@angular/compiler"; // Angular's own parts are compiled when they load
import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvironmentInjector, Injector, runInInjectionContext } from "@angular/core";
import { HttpRequest } from "@angular/common/http";
import { Window } from "happy-dom";
import { fromStore, get } from "svelte/store";
import { effectScope, isRef, watchEffect } from "vue";
import { csrfInterceptor, injectSession } from "./angular.js";
import { useSession as useReactSession } from "./react.js";
import { session as svelteSession } from "./svelte.js";
import { FakeServer, openTab } from "./testing.js";
import { useSession as useVueSession } from "./vue.js";

const right = { email: "ada@shop.example", password: "right" };

// page opens a client and counts who listens.
const page = async (t) => {
  const { bff } = openTab(t, new FakeServer());
  await bff.ready;
  let listening = 0;
  const counted = new Proxy(bff, {
    get(target, name) {
      if (name !== "subscribe") return target[name];
      return (fn) => {
        const stop = target.subscribe(fn);
        listening++;
        return () => { listening--; stop(); };
      };
    },
  });
  return { bff: counted, listening: () => listening };
};

test("React", async (t) => {
  const window = new Window();
  Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
  globalThis.navigator ??= window.navigator; // Node has one from 21 on
  t.after(() => { delete globalThis.window; delete globalThis.document; });
  const { act, createElement } = await import("react");
  const { createRoot } = await import("react-dom/client");
  const { bff, listening } = await page(t);
  let renders = 0;
  const Who = () => {
    renders++;
    const session = useReactSession(bff);
    return createElement("p", null, session.user?.email ?? session.status);
  };
  const at = window.document.createElement("div");
  const root = createRoot(at);
  await act(() => root.render(createElement(Who)));
  assert.equal(at.innerHTML, "<p>anonymous</p>");
  await act(() => bff.login(right));
  assert.equal(at.innerHTML, "<p>ada@shop.example</p>");
  const seen = renders;
  await act(() => bff.refresh());
  assert.equal(renders, seen, "nothing changed, so nothing is rendered anew");
  assert.equal(listening(), 1);
  await act(() => root.unmount());
  assert.equal(listening(), 0);
  const { renderToString } = await import("react-dom/server");
  assert.equal(renderToString(createElement(Who)), "<p>ada@shop.example</p>", "rendered on a server too");
});

test("Vue", async (t) => {
  const { bff, listening } = await page(t);
  const scope = effectScope();
  const seen = [];
  scope.run(() => {
    const session = useVueSession(bff);
    assert.ok(isRef(session));
    watchEffect(() => seen.push(session.value.user?.email ?? session.value.status), { flush: "sync" });
  });
  await bff.login(right);
  await bff.logout();
  assert.deepEqual(seen, ["anonymous", "ada@shop.example", "anonymous"]);
  assert.equal(listening(), 1);
  scope.stop();
  assert.equal(listening(), 0);
});

test("Svelte", async (t) => {
  const { bff, listening } = await page(t);
  const store = svelteSession(bff);
  const seen = [];
  const stop = store.subscribe((s) => seen.push(s.user?.email ?? s.status));
  await bff.login(right);
  await bff.logout();
  assert.deepEqual(seen, ["anonymous", "ada@shop.example", "anonymous"]);
  assert.equal(get(store).status, "anonymous");
  assert.equal(fromStore(store).current.status, "anonymous");
  assert.equal(listening(), 1);
  stop();
  assert.equal(listening(), 0);
});

test("Angular", async (t) => {
  const { bff, listening } = await page(t);
  const injector = createEnvironmentInjector([], Injector.NULL);
  const session = runInInjectionContext(injector, () => injectSession(bff));
  assert.equal(session().status, "anonymous");
  assert.equal(session.set, undefined, "read only");
  await bff.login(right);
  assert.equal(session().user.email, "ada@shop.example");
  assert.equal(listening(), 1);
  injector.destroy();
  assert.equal(listening(), 0);
});

test("Angular's interceptor marks calls to Coatcheck, and no others", (t) => {
  globalThis.location = new URL("https://shop.example/orders");
  t.after(() => { delete globalThis.location; });
  const sent = (interceptor, url) => {
    let got;
    interceptor(new HttpRequest("POST", url, {}), (request) => { got = request; });
    return [got.headers.get("X-CSRF"), got.withCredentials];
  };
  assert.deepEqual(sent(csrfInterceptor(), "/api/orders"), ["1", true]);
  assert.deepEqual(sent(csrfInterceptor(), "https://elsewhere.example/x"), [null, false]);
  assert.deepEqual(sent(csrfInterceptor("https://api.example"), "https://api.example/x"), ["1", true]);
  assert.deepEqual(sent(csrfInterceptor("https://api.example"), "/api/orders"), [null, false]);
});
