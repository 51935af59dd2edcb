import type { ShallowRef } from "vue";
import type { Bff, Session } from "./client.js";

/** The session as a ref, followed until the component's (or effect) scope ends. */
export function useSession<User>(bff: Bff<User>): Readonly<ShallowRef<Session<User>>>;
