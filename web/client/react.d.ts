import type { Bff, Session } from "./client.js";

/** The session as it is now; the component renders anew when it changes. */
export function useSession<User>(bff: Bff<User>): Session<User>;
