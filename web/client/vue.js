import { onScopeDispose, shallowRef } from "vue";

export const useSession = (bff) => {
  const session = shallowRef(bff.session);
  onScopeDispose(bff.subscribe(() => { session.value = bff.session; }));
  return session;
};
