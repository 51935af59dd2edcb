export const session = (bff) => ({
  subscribe(run) {
    run(bff.session);
    return bff.subscribe(() => run(bff.session));
  },
});
