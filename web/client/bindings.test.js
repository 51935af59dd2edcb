// Each binding with its framework, as it is published: renders what is known, follows
// a change, and lets go when the component does.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { Window } from "happy-dom";
import { compile } from "svelte/compiler";
import { FakeServer, openTab } from "./testing.js";

// The frameworks look for a document when they load, and keep it.
const window = new Window();
for (const name of ["window", "document", "navigator", "Node", "Element", "Text", "SVGElement", "MathMLElement", "ShadowRoot"]) {
  if (!(name in globalThis)) globalThis[name] = name === "window" ? window : window[name];
}
const place = () => window.document.body.appendChild(window.document.createElement("div"));

const right = { email: "ada@shop.example", password: "right" };

// page opens a client and counts who listens. Two seconds later a session is another one
// to it, so no time passes.
const page = async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
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
  const at = place();
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  t.after(() => { delete globalThis.IS_REACT_ACT_ENVIRONMENT; });
  const { act, createElement } = await import("react");
  const { createRoot } = await import("react-dom/client");
  const { useSession } = await import("./react.js");
  const { bff, listening } = await page(t);
  let renders = 0;
  const Who = () => {
    renders++;
    const session = useSession(bff);
    return createElement("p", null, session.user?.email ?? session.status);
  };
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
  const at = place();
  const { createApp, h, isRef, nextTick } = await import("vue");
  const { useSession } = await import("./vue.js");
  const { bff, listening } = await page(t);
  let renders = 0;
  const app = createApp({
    setup() {
      const session = useSession(bff);
      assert.ok(isRef(session));
      return () => { renders++; return h("p", session.value.user?.email ?? session.value.status); };
    },
  });
  app.mount(at);
  assert.equal(at.innerHTML, "<p>anonymous</p>");
  await bff.login(right);
  await nextTick();
  assert.equal(at.innerHTML, "<p>ada@shop.example</p>");
  const seen = renders;
  await bff.refresh();
  await nextTick();
  assert.equal(renders, seen, "nothing changed, so nothing is rendered anew");
  assert.equal(listening(), 1);
  app.unmount();
  assert.equal(listening(), 0);
});

// component compiles a Svelte component and bundles it with Svelte, as for a browser.
const component = async (t, source) => {
  const { js } = compile(source, { generate: "client", name: "Component" });
  const at = await mkdtemp(join(tmpdir(), "coatcheck-svelte-"));
  t.after(() => rm(at, { recursive: true }));
  const outfile = join(at, "component.mjs");
  await build({
    stdin: { contents: js.code + '\nexport { flushSync, mount, unmount } from "svelte";', resolveDir: import.meta.dirname },
    bundle: true, format: "esm", conditions: ["browser"], outfile,
  });
  return import(outfile);
};

test("Svelte", async (t) => {
  const at = place();
  const { fromStore, get } = await import("svelte/store");
  const { session } = await import("./svelte.js");
  const { bff, listening } = await page(t);
  const { default: Who, flushSync, mount, unmount } =
    await component(t, "<script>const { who } = $props();</script><p>{$who.user?.email ?? $who.status}</p>");
  const shown = () => { flushSync(); return at.innerHTML; };
  const app = mount(Who, { target: at, props: { who: session(bff) } });
  assert.equal(shown(), "<p>anonymous</p>");
  await bff.login(right);
  assert.equal(shown(), "<p>ada@shop.example</p>");
  assert.equal(listening(), 1);
  await unmount(app);
  assert.equal(listening(), 0);
  assert.equal(get(session(bff)).status, "authenticated", "read once, as on a server");
  assert.equal(fromStore(session(bff)).current.status, "authenticated", "read in Svelte 5's way");
  assert.equal(listening(), 0);
});

await import("@angular/compiler"); // Angular's own parts are compiled when they load
const { createEnvironmentInjector, Injector, runInInjectionContext } = await import("@angular/core");
const { HttpRequest } = await import("@angular/common/http");
const { csrfInterceptor, injectSession } = await import("./angular.js");

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
