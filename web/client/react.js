import { useSyncExternalStore } from "react";

export const useSession = (bff) => useSyncExternalStore(bff.subscribe, () => bff.session, () => bff.session);
