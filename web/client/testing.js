// A Coatcheck of a few lines for the tests: it keeps one cookie per browser and
// answers as docs/errors.md and the session document say. Not shipped.

import { createBff } from "./client.js";

export const json = (status, body, headers = {}) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

export const problem = (status, code, more = {}, headers = {}) =>
  json(status, { type: "about:blank", title: code, status, code, ...more }, { "Coatcheck-Error": code, "Content-Type": "application/problem+json", ...headers });

/** A browser with one cookie jar, and the server it talks to. */
export class FakeServer {
  calls = [];
  live = null; // the session the cookie opens
  reason; // of the dead one
  made = 0;
  idle = 1800;
  expires = 43200;
  answers = {}; // "METHOD /path" → function, in place of the answer below

  signIn(user = { email: "ada@shop.example" }) {
    this.live = { id: "s" + ++this.made, user };
    return this.live;
  }

  kill(reason) {
    this.live = null;
    this.reason = reason;
  }

  document() {
    if (!this.live) return { authenticated: false, ...(this.reason && { reason: this.reason }) };
    return {
      authenticated: true, frontend: "shop", ...this.live, created_at: "2025-03-01T12:00:00Z",
      idle_expires_in: this.idle, expires_in: this.expires,
    };
  }

  fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const body = await request.clone().text();
    this.calls.push({ method: request.method, url: request.url, headers: request.headers, body, init });
    const key = request.method + " " + pathname.replace(/^.*(?=\/bff\/)/, "");
    return (this.answers[key] ?? this.usual[key] ?? (() => this.api()))(request, body);
  };

  count = (method, path) => this.calls.filter((c) => c.method === method && new URL(c.url).pathname === path).length;

  usual = {
    "GET /bff/session": () => json(200, this.document()),
    "POST /bff/session": () => (this.live ? json(200, this.document()) : this.dead()),
    "POST /bff/login": (_, body) => {
      const { email, password } = JSON.parse(body);
      if (password !== "right") return problem(401, "invalid_credentials");
      this.signIn({ email });
      return json(200, this.document());
    },
    "POST /bff/logout": () => {
      this.kill("signed_out");
      return new Response(null, { status: 204 });
    },
  };

  dead() {
    return this.reason ? problem(401, "session_expired", { reason: this.reason }) : problem(401, "not_authenticated");
  }

  api() {
    return this.live ? json(200, { ok: true }, { "Coatcheck-Idle-Expires-In": String(this.idle) }) : this.dead();
  }
}

let channels = 0;
export const newChannel = () => "test-" + ++channels;

/** A tab in that browser, with everything it was told in `told`. It is closed when the test ends. */
export function openTab(t, server, options = {}) {
  const bff = createBff({ base: "https://shop.example/bff", fetch: server.fetch, channel: false, ...options });
  const told = [];
  bff.on("change", (now) => told.push("change " + now.status));
  bff.on("login", (user) => told.push("login " + user.email));
  bff.on("logout", (reason) => told.push("logout " + reason));
  bff.on("expiring", () => told.push("expiring"));
  bff.on("error", (e) => told.push("error " + e.code));
  t.after(() => bff.close());
  return { bff, told };
}

/** Stops Date: at two moments less than 2 s apart a session's end is the same, and the machine may take longer. */
export const stopDate = (t) => t.mock.timers.enable({ apis: ["Date"], now: Date.now() });

/** Waits until what is expected is there, two minutes at most: only what never happens may fail. */
export async function until(condition) {
  const end = performance.now() + 120_000; // a test may have stopped Date
  while (!condition()) {
    if (performance.now() > end) throw new Error("waited in vain for: " + condition);
    await new Promise((r) => setTimeout(r, 5));
  }
}

/** A promise with its handle outside. */
export function gate() {
  let open;
  const opened = new Promise((r) => (open = r));
  return { open, opened };
}
