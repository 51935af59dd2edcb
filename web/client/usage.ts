// Compiled, never run: a page's author meets these types.

import type { ShallowRef } from "vue";
import { withInterceptors } from "@angular/common/http";
import { csrfInterceptor, injectSession } from "coatcheck-client/angular";
import { useSession } from "coatcheck-client/react";
import { session as store } from "coatcheck-client/svelte";
import { useSession as useRef } from "coatcheck-client/vue";
import { createBff, isBffError, type Bff, type Reason, type Session } from "coatcheck-client";

interface User { id: string; email: string }
const bff = createBff<User>({ parseUser: (raw) => raw as User });

function who(s: Session<User>): string {
  switch (s.status) {
    case "loading":
      return "";
    case "anonymous":
      return s.reason ?? s.step ?? "";
    case "authenticated":
      return s.user.email + s.expiresAt.toFixed();
  }
}
who(useSession(bff));
const ref: Readonly<ShallowRef<Session<User>>> = useRef(bff);
who(ref.value);
who(injectSession(bff)());
const stop: () => void = store(bff).subscribe(who);
stop();
withInterceptors([csrfInterceptor()]);

bff.on("logout", (reason: Reason) => reason);
bff.on("expiring", (left: number) => left);
const orders: Promise<{ id: number }[]> = bff.json("/api/orders", { json: { item: 7 } });
orders.catch((e: unknown) => isBffError(e, "invalid_credentials") && e.retryAfter);

// @ts-expect-error: nobody may change the session but the client
bff.session = { status: "loading", user: null };
// @ts-expect-error: somebody anonymous has no user
createBff<User>().session.user.email;
// @ts-expect-error: no such event
bff.on("token", () => {});
// @ts-expect-error: there is no token to be had
(bff as Bff<User>).token;
