import type { Signal } from "@angular/core";
import type { Bff, Session } from "./client.js";

/** The session as a signal. Call it where `inject` may be called; it ends with that context. */
export function injectSession<User>(bff: Bff<User>): Signal<Session<User>>;

/**
 * For `provideHttpClient(withInterceptors([csrfInterceptor()]))`: adds the header that proves a call comes from a
 * page of ours. Only calls to `origin` get it: the page's own unless frontends share a host ("https://api.example.com").
 */
export function csrfInterceptor(origin?: string): <Request extends HttpRequestLike, Event>(request: Request, next: (request: Request) => Event) => Event;

/** The part of Angular's HttpRequest that is used; naming it spares `@angular/common`. */
interface HttpRequestLike {
  readonly url: string;
  clone(update: { setHeaders?: { [name: string]: string | string[] }; withCredentials?: boolean }): any;
}
