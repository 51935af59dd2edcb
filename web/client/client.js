/*! coatcheck-client, Apache-2.0 */
// Coatcheck's browser client: who is signed in, sign-in, sign-out, calls.
//
//   import { createBff } from "/bff/client.js";
//   const bff = createBff();
//   await bff.ready;
//   if (bff.session.status === "anonymous") await bff.login({ email, password });
//   // or, at a provider's page: await bff.signIn();
//   const notes = await bff.json("/api/notes");
//
// There is no token in here and no way to get one: the browser holds a cookie that
// no script can read, and Coatcheck puts the API's token on the calls. Nothing
// is retried and nothing is locked; refreshing tokens is Coatcheck's business.
// Types and the meaning of every member: client.d.ts.

/** What went wrong: `code` is Coatcheck's, or one of this client's own. */
export class BffError extends Error {
  constructor(problem, response, cause) {
    super(problem.title || problem.code, { cause });
    this.name = "BffError";
    this.problem = problem;
    this.response = response;
  }
  get code() { return this.problem.code; }
  get status() { return this.problem.status; }
  /** Seconds, where the answer names them. */
  get retryAfter() {
    const seconds = this.response?.headers.get("Retry-After");
    return /^\d+$/.test(seconds) ? +seconds : undefined; // without the header: "null"
  }
}

export const isBffError = (e, code) => e instanceof BffError && (code === undefined || e.code === code);

export function createBff(options = {}) {
  const {
    base = "/bff",
    csrfHeader: [csrfName, csrfValue] = ["X-CSRF", "1"],
    expiringMs = 60_000,
    parseUser = (user) => user,
    fetch: send = (...args) => fetch(...args),
    navigate = (address) => location.assign(address),
  } = options;
  const root = new URL(base.replace(/\/*$/, "/"), globalThis.location?.href);
  const listeners = {};
  const tab = options.channel === false || !globalThis.BroadcastChannel
    ? null
    : new BroadcastChannel(options.channel ?? "coatcheck:" + root.href);

  let session = { status: "loading", user: null };
  let generation = 0; // counts beginnings and ends of sessions: what was asked before one says nothing after it
  let reading = null; // the one re-read in flight, and its generation
  let timer;
  let ended; // the id of the session that ended last
  let warned; // the end that "expiring" was told of
  let offer; // what the frontend offers: its name, providers and fields, as last heard

  // --- events

  const emit = (name, ...args) => {
    for (const fn of [...(listeners[name] ?? [])]) {
      try {
        fn(...args);
      } catch (e) {
        (globalThis.reportError ?? console.error)(e); // the page's own fault, and no reason to stop here
      }
    }
  };

  const on = (name, fn) => {
    (listeners[name] ??= new Set()).add(fn);
    return () => listeners[name].delete(fn);
  };

  // For work that nobody waits for: its failure is an event, not a rejection.
  const quietly = (promise) => promise.catch((e) => emit("error", e));

  // --- the session

  // Whether the first answer has come: the status is "authenticated" or "anonymous", not "loading" or "error".
  const known = () => session.status[0] === "a";

  // Times arrive as seconds left, because browsers' clocks are wrong.
  const fromDocument = ({ authenticated, ...doc }) => {
    const { step, reason, ...rest } = doc;
    if (doc.frontend && !authenticated) offer = rest;
    return authenticated ? {
        status: "authenticated",
        user: parseUser(doc.user ?? {}),
        frontend: doc.frontend,
        id: doc.id,
        createdAt: doc.created_at,
        expiresAt: Date.now() + doc.expires_in * 1000,
        idleExpiresAt: Date.now() + doc.idle_expires_in * 1000,
      }
    : { status: "anonymous", user: null, ...doc };
  };

  // Seconds are rounded and answers travel: less than 2 s apart is the same moment.
  const near = (a, b) => Math.abs((a ?? 0) - (b ?? 0)) < 2000;
  const equal = (a, b) => near(a.expiresAt, b.expiresAt) && near(a.idleExpiresAt, b.idleExpiresAt) && text(a) === text(b);
  const text = ({ status, id, user, providers }) => JSON.stringify([status, id, user, providers]);

  const set = (next) => {
    const was = session;
    if (known() && equal(was, next)) return session;
    const came = known() && next.status === "authenticated" && was.id !== next.id;
    const left = was.status === "authenticated" && was.id !== next.id;
    session = next;
    if (left || came) generation++;
    arm();
    emit("change", next, was);
    if (left) emit("logout", next.reason ?? (came ? "replaced" : "signed_out")); // without a reason: the cookie is gone
    if (came) emit("login", next.user);
    return session;
  };

  const end = (reason) => {
    const { frontend } = session;
    ended = session.id;
    set({ status: "anonymous", user: null, ...(frontend && { frontend }), ...offer, reason });
  };

  // One timer: to warn, then to look whether the end has come. Before a warning
  // it asks, because another tab may have prolonged the session meanwhile.
  const arm = () => {
    clearTimeout(timer);
    if (session.status !== "authenticated") return;
    const ends = Math.min(session.expiresAt, session.idleExpiresAt);
    const at = near(warned, ends) ? ends + 1000 : ends - expiringMs;
    timer = setTimeout(() => quietly(due()), Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1));
    timer.unref?.();
  };

  const due = async () => {
    try {
      await refresh();
    } finally {
      if (session.status === "authenticated") {
        const ends = Math.min(session.expiresAt, session.idleExpiresAt);
        const left = ends - Date.now();
        if (left > 0 && left <= expiringMs + 1000) {
          warned = ends;
          emit("expiring", left);
        }
        if (left > 0) arm();
      }
    }
  };

  // --- calls

  // A call as the network gives it: our header on what changes things, redirects
  // not followed (a followed one to a sign-in page is only "Failed to fetch").
  const call = async (input, init = {}) => {
    const url = new URL(input.url ?? input, new URL("..", root)); // a Request has an url, a string and a URL have none
    if (url.origin !== root.origin) throw new TypeError("bff.fetch calls " + root.origin + " only");
    const headers = new Headers(init.headers ?? input.headers);
    const method = (init.method ?? input.method ?? "GET").toUpperCase();
    if (method !== "GET" && method !== "HEAD") headers.set(csrfName, csrfValue);
    const begun = generation;
    let response;
    try {
      response = await send(input.url ? input : url.href, { ...init, method, headers, credentials: "include", redirect: "manual" });
    } catch (e) {
      if (e?.name === "AbortError" || init.signal?.aborted) throw e;
      throw new BffError({ code: "network_error", status: 0, title: "No answer came" }, undefined, e);
    }
    if (response.type === "opaqueredirect") {
      throw new BffError({ code: "redirected", status: 0, title: "The answer is a redirect" }, response);
    }
    await notice(response, begun);
    return response;
  };

  // What an answer says about the session. Only Coatcheck's own mark ends it: a
  // 401 of the API is the API's.
  const notice = async (response, begun) => {
    const code = response.headers.get("Coatcheck-Error");
    const ended = code === "session_expired" || code === "not_authenticated";
    if (begun !== generation || session.status !== "authenticated") return;
    if (response.status === 401 && ended) {
      const { reason } = await problemOf(response.clone());
      if (begun === generation) end(reason ?? (code === "session_expired" ? "expired" : "signed_out"));
      return;
    }
    const idle = response.headers.get("Coatcheck-Idle-Expires-In");
    const idleExpiresAt = Date.now() + idle * 1000;
    // Only forward: answers may overtake each other.
    if (idleExpiresAt > session.idleExpiresAt) set({ ...session, idleExpiresAt });
  };

  // Coatcheck's own problem document, or the API's refusal with its body as it is.
  const problemOf = async (response) => {
    const body = await response.json().catch(() => undefined);
    const { status, statusText: title } = response;
    const code = response.headers.get("Coatcheck-Error");
    return code ? { title, ...body, status, code } : { title, status, code: "api_error", body };
  };

  const json = async (input, { json: value, ...init } = {}) => {
    if (value !== undefined) {
      init.headers = new Headers(init.headers);
      init.headers.set("Content-Type", "application/json");
      init = { method: "POST", ...init, body: JSON.stringify(value) };
    }
    const response = await call(input, init);
    if (!response.ok) throw new BffError(await problemOf(response), response);
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
  };

  // --- the session's own calls

  const refresh = () => {
    if (reading?.generation === generation) return reading.promise;
    const mine = { generation };
    reading = mine;
    return mine.promise = json(root + "session").then(
      (doc) => (mine.generation === generation ? set(fromDocument(doc)) : session),
      (error) => {
        if (!known()) {
          set({ status: "error", user: null, error });
          console.error("No answer of Coatcheck at " + root + ": is this page opened through it, at a listed origin?", error);
        }
        throw error;
      },
    ).finally(() => {
      if (reading === mine) reading = null;
    });
  };

  const login = async (fields = {}, to = "login", id) => {
    const doc = await json(root + to, { json: fields });
    const next = fromDocument(doc);
    if (!doc.authenticated) return next; // a further step is asked for; nobody is signed in or out by it
    generation++;
    if (!known()) session = { status: "anonymous", user: null };
    set(next);
    announce(id); // other tabs know this session already, but not what it is now
    return session;
  };

  // The provider's page, and back to the one that is open, wherever in it the person is.
  const signIn = async (wish = {}) => {
    await ready; // which frontend this is, where several share a host
    const here = globalThis.location?.href ?? "";
    const query = { frontend: session.frontend, return_to: here.length > 1024 ? "" : here };
    for (const name in wish) query[name.replace(/[A-Z]/g, (c) => "_" + c.toLowerCase())] = wish[name];
    const url = new URL("login", root);
    for (const name in query) if (query[name] || query[name] === 0) url.searchParams.set(name, query[name]);
    navigate(url.href);
  };

  const stepUp = async (wish) => {
    const answer = isBffError(wish) ? wish.response ?? new Response() : wish;
    if (answer.headers) {
      const demand = answer.headers.get("Coatcheck-Login");
      if (!demand) return false;
      wish = Object.fromEntries(new URLSearchParams(demand));
    }
    await signIn(wish);
    return true;
  };

  const logout = async () => {
    const { id } = session;
    const answer = await json(root + "logout", { method: "POST", keepalive: true });
    generation++;
    end("signed_out");
    tab?.postMessage({ type: "logout", id });
    if (answer?.continue) navigate(new URL(answer.continue, root).href); // the provider's session ends as well
  };

  const extend = async (wish = {}) => {
    const begun = generation;
    const doc = await json(root + "session", { json: wish });
    return begun === generation ? set(fromDocument(doc)) : session;
  };

  // --- other tabs, and pages that come back

  let heard; // the session that another tab told of before this one knew its own
  const announce = (id = session.id) => session.id && tab?.postMessage({ type: "login", id });

  if (tab) {
    tab.onmessage = ({ data }) => {
      if (data?.id && (data.id === session.id || data.id === ended)) { // nothing new, or the end of ours
        if (data.type === "logout" && data.id === session.id) end("other_tab");
        return;
      }
      if (!known() && reading) { // its first answer may tell the same
        heard = data?.id;
        return;
      }
      generation++;
      quietly(refresh());
    };
    tab.unref?.();
  }

  // Out of the back/forward cache a page is as it was, whoever has signed out since.
  const pageshow = (e) => {
    if (!e.persisted) return;
    generation++;
    quietly(refresh());
  };
  globalThis.addEventListener?.("pageshow", pageshow);

  const close = () => {
    clearTimeout(timer);
    tab?.close();
    globalThis.removeEventListener?.("pageshow", pageshow);
    for (const name in listeners) listeners[name].clear();
  };

  const inline = globalThis.document?.getElementById("bff-session")?.textContent;
  const initial = options.initial ?? (inline ? JSON.parse(inline) : undefined);
  if (initial) set(fromDocument(initial));
  const ready = (initial ? Promise.resolve() : quietly(refresh())).then(() => {
    announce(); // this page may be the way back from a provider: the other tabs have heard nothing yet
    if (heard && heard !== session.id) quietly(refresh());
    return session;
  });

  return {
    get session() { return session; },
    // Another credential for the person who is signed in. The ticket changes: what was asked with the old one says nothing.
    exchange: (name, fields) => login(fields, "exchange/" + name, 0),
    ready, on, subscribe: (fn) => on("change", fn), login, signIn, stepUp, logout, extend, refresh, fetch: call, json, close,
  };
}
