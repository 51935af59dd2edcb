import type { Readable } from "svelte/store";
import type { Bff, Session } from "./client.js";

/** The session as a store: `$session.status`; in Svelte 5 also `fromStore(session(bff)).current`. */
export function session<User>(bff: Bff<User>): Readable<Session<User>>;
