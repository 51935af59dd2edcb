import { DestroyRef, inject, signal } from "@angular/core";

export const injectSession = (bff) => {
  const session = signal(bff.session);
  inject(DestroyRef).onDestroy(bff.subscribe(() => session.set(bff.session)));
  return session.asReadonly();
};

export const csrfInterceptor = (origin = location.origin) => (request, next) =>
  next(new URL(request.url, location.href).origin === origin
    ? request.clone({ setHeaders: { "X-CSRF": "1" }, withCredentials: true })
    : request);
