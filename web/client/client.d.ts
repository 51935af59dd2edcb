/** Why a session ended. The first four are Coatcheck's words, the others this client's. */
export type Reason =
  | "signed_out" //  signed out, here or elsewhere, or the cookie is gone
  | "revoked" //     ended by an administrator, or from the person's list of sessions
  | "upstream" //    the API takes the token no more
  | "expired" //     idle for too long, or older than a session may be
  | "other_tab" //   signed out in another tab of this browser
  | "replaced"; //   somebody signed in over it

export type Session<User> =
  /** Not known yet: the first answer has not come. */
  | { readonly status: "loading"; readonly user: null }
  /** No session document came: Coatcheck does not answer, or the page is not opened through it. `refresh()` asks again. */
  | { readonly status: "error"; readonly user: null; readonly error: unknown }
  | {
      readonly status: "anonymous";
      readonly user: null;
      readonly reason?: Reason;
      /** A further step the API asks for before it signs anybody in, and the fields it wants; one that ends in "?" may be left out. */
      readonly step?: string;
      /** Where people sign in at a provider: their names for `signIn`; `fields` are then the form's, if there is one, and `frontend` is known. */
      readonly providers?: readonly string[];
      readonly fields?: readonly string[];
      readonly frontend?: string;
    }
  | {
      readonly status: "authenticated";
      /** The fields that the frontend's configuration exposes. */
      readonly user: User;
      readonly frontend: string;
      /** A public handle of the session; it opens nothing. */
      readonly id: string;
      /** RFC 3339. */
      readonly createdAt: string;
      /** When the session ends whatever happens, and when it ends if nothing does. As Date.now(), by this browser's clock. */
      readonly expiresAt: number;
      readonly idleExpiresAt: number;
    };

export interface SessionDocument {
  authenticated: boolean;
  reason?: Reason;
  frontend?: string;
  id?: string;
  user?: unknown;
  created_at?: string;
  idle_expires_in?: number;
  expires_in?: number;
  step?: string;
  fields?: string[];
  providers?: string[];
}

/** What GET /bff/login takes. Anything else is refused. */
export interface SignIn {
  /** One of `session.providers`. Default: the first. */
  provider?: string;
  /** A page of the frontend's: "/cart#top" or a whole address. Default: the one that is open, or the start where its address is longer than 1024 characters. */
  returnTo?: string;
  /** "none": nobody is asked anything, and who is not signed in at the provider comes back as they went. */
  prompt?: "none" | "login" | "select_account" | "consent";
  /** Seconds since the person last proved at the provider who they are, at most. */
  maxAge?: number;
  /** Classes of authentication, the best one first, with spaces between them. */
  acr?: string;
  loginHint?: string;
  /** Languages (BCP 47), with spaces between them. */
  uiLocales?: string;
}

export interface Problem {
  title: string;
  /** The HTTP status; 0 where no answer can be read. */
  status: number;
  /**
   * Coatcheck's code (docs/errors.md); or "api_error": the API's own refusal, with its JSON in `body`;
   * "network_error": no answer came; "redirected": the answer is a redirect, which is not followed.
   */
  code: string;
  detail?: string;
  reason?: Reason;
  /** With "invalid_fields": those that the API found wrong. */
  fields?: string[];
  request_id?: string;
  body?: unknown;
}

export class BffError extends Error {
  readonly problem: Problem;
  readonly response?: Response;
  get code(): string;
  get status(): number;
  /** Seconds to wait, where the answer names them. */
  get retryAfter(): number | undefined;
}

export function isBffError(e: unknown, code?: string): e is BffError;

export interface Options<User> {
  /** Where Coatcheck answers. Default "/bff"; "https://api.example.com/bff" where frontends share a host. */
  base?: string;
  /** The header that proves a call comes from a page of ours. Default ["X-CSRF", "1"]. */
  csrfHeader?: [name: string, value: string];
  /** The session document, if the page has it already. Default: what stands in an element with the id "bff-session", if there is one. */
  initial?: SessionDocument;
  /** How long before its end "expiring" is emitted, in milliseconds. Default 60 000. */
  expiringMs?: number;
  /** Checks and types the user; what it throws, the caller gets. */
  parseUser?: (raw: unknown) => User;
  fetch?: typeof fetch;
  /** Goes to an address. Default: location.assign. */
  navigate?: (address: string) => void;
  /** Name of the BroadcastChannel that joins the tabs; false for none. */
  channel?: string | false;
}

/** What a page posts; booleans and numbers where the configuration's `fields` say so. */
export type Fields = Record<string, string | boolean | number>;

export interface Bff<User> {
  /** What is known now. The same object until something changes. */
  readonly session: Session<User>;
  /** Settles with the first answer. Never rejects: without an answer the status is "error", and the event "error" comes. */
  readonly ready: Promise<Session<User>>;

  /** Calls fn after every change of `session`; returns how to stop. Fits React's useSyncExternalStore. */
  subscribe(fn: () => void): () => void;
  on(event: "change", fn: (now: Session<User>, was: Session<User>) => void): () => void;
  /** Somebody signed in, here or in another tab. Not emitted for a session found when the page opened. */
  on(event: "login", fn: (user: User) => void): () => void;
  /** A session ended: once, however many calls found out. The place to drop what was cached for the person. */
  on(event: "logout", fn: (reason: Reason) => void): () => void;
  /** The end is near: once per end. `extend()` prolongs, unless it is the session's last. */
  on(event: "expiring", fn: (msLeft: number) => void): () => void;
  /** A re-read that nobody waited for failed. The session stays as it was. */
  on(event: "error", fn: (error: unknown) => void): () => void;

  /**
   * Signs in with the frontend's fields, or by another way in with its own: `login({ way: "sign_up", … })`. Anonymous without a `step`: the
   * API took it, and lets nobody in yet. Throws a BffError: invalid_credentials, too_many_attempts, …
   */
  login(fields: Fields): Promise<Session<User>>;
  /** Another credential for the person who is signed in: an organisation switched, a password changed. Throws as `login`; then nothing has changed. */
  exchange(name: string, fields?: Fields): Promise<Session<User>>;
  /** Leaves the page for the provider's, and comes back to where it was, or to `returnTo`. */
  signIn(wish?: SignIn): Promise<void>;
  /**
   * Leaves the page for a stronger sign-in at the provider. With an answer of the API's, or the error that `json` threw: as the
   * answer asks (RFC 9470); false, and nothing happens, where it asks for none.
   */
  stepUp(wish: Pick<SignIn, "acr" | "maxAge" | "provider" | "returnTo"> | Response | BffError): Promise<boolean>;
  /** Signs out; safe to repeat. Where the provider has a session to end as well, the page leaves for there. Throws where Coatcheck could not: then the person is still signed in. */
  logout(): Promise<void>;
  /** Says that the person is still there. The one call that is made to prolong a session. With `reload` the API is asked anew who the person is. */
  extend(wish?: { reload: boolean }): Promise<Session<User>>;
  /** Asks again, without prolonging anything. One question at a time is on its way. */
  refresh(): Promise<Session<User>>;
  /** fetch, to Coatcheck's origin only. Resolves with any status; rejects with a BffError where no answer can be read. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** fetch for JSON: sends `json` (POST unless a method is named), returns the answer's JSON, throws a BffError unless it is 2xx. */
  json<T = unknown>(input: RequestInfo | URL, init?: RequestInit & { json?: unknown }): Promise<T>;
  /** Stops timers, listeners and the channel. */
  close(): void;
}

export function createBff<User = Record<string, unknown>>(options?: Options<User>): Bff<User>;
