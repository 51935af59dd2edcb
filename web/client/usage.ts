// Compiled, never run: a page's author meets these types.

import type { Signal } from "@angular/core";
import type { Readable } from "svelte/store";
import type { ShallowRef } from "vue";
import { withInterceptors } from "@angular/common/http";
import { csrfInterceptor, injectSession } from "coatcheck-client/angular";
import { useSession } from "coatcheck-client/react";
import { session as store } from "coatcheck-client/svelte";
import { useSession as useRef } from "coatcheck-client/vue";
import { createBff, isBffError, type Bff, type Reason, type Session } from "coatcheck-client";

// Whether two types are the same one: `any` would pass for every other.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Same<A, B>) => {};

interface User { id: string; email: string }
const bff = createBff<User>({ parseUser: (raw) => raw as User });

function who(s: Session<User>): string {
  switch (s.status) {
    case "loading":
      return "";
    case "error":
      return String(s.error);
    case "anonymous":
      return s.reason ?? s.step ?? s.providers?.join() ?? "";
    case "authenticated":
      return s.user.email + s.expiresAt.toFixed();
  }
}
const inReact = useSession(bff), inVue = useRef(bff), inAngular = injectSession(bff), inSvelte = store(bff);
same<typeof inReact, Session<User>>(true);
same<typeof inVue, Readonly<ShallowRef<Session<User>>>>(true);
same<typeof inAngular, Signal<Session<User>>>(true);
same<typeof inSvelte, Readable<Session<User>>>(true);
inSvelte.subscribe(who)();
withInterceptors([csrfInterceptor()]);

bff.on("login", (user) => same<typeof user, User>(true));
bff.on("logout", (reason) => same<typeof reason, Reason>(true));
bff.on("expiring", (left) => same<typeof left, number>(true));
bff.on("change", (now, was) => same<[typeof now, typeof was], [Session<User>, Session<User>]>(true));
const left = bff.signIn({ provider: "id", returnTo: "/cart#top", prompt: "select_account", maxAge: 0, acr: "gold" });
same<typeof left, Promise<void>>(true);
const stepped = bff.stepUp({ acr: "gold", maxAge: 300 });
same<typeof stepped, Promise<boolean>>(true);
same<Awaited<ReturnType<typeof bff.exchange>>, Session<User>>(true);
bff.login({ way: "sign_up", email: "a", remember: true });
bff.exchange("organisation", { organisation: 2 });
bff.extend({ reload: true });
bff.fetch("/api/pay").then((answer) => bff.stepUp(answer));
// @ts-expect-error: the list of parameters is closed
bff.signIn({ redirect: "/x" });
const orders = bff.json<{ id: number }[]>("/api/orders", { json: { item: 7 } });
same<typeof orders, Promise<{ id: number }[]>>(true);
const unnamed = bff.json("/api/orders");
same<typeof unnamed, Promise<unknown>>(true);
orders.catch((e: unknown) => {
  if (isBffError(e)) bff.stepUp(e);
  if (isBffError(e, "too_many_attempts")) same<typeof e.retryAfter, number | undefined>(true);
});

// @ts-expect-error: nobody may change the session but the client
bff.session = { status: "loading", user: null };
// @ts-expect-error: somebody anonymous has no user
createBff<User>().session.user.email;
// @ts-expect-error: no such event
bff.on("token", () => {});
// @ts-expect-error: there is no token
(bff as Bff<User>).token;
