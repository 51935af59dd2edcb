// A certified OpenID Provider, strict wherever it can be. It reads its clients as JSON
// from the environment, listens on a port of the kernel's, and prints its issuer.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const clients = JSON.parse(process.env.CLIENTS);
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], email: ["email"], acr: null, auth_time: null, iss: null, sid: null },
  acrValues: ["gold"],
  cookies: { keys: ["only for tests"] },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com` }) }),
  features: {
    devInteractions: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    revocation: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    userinfo: { enabled: true },
  },
  // Logout tokens go to a test's own server on loopback, which it would refuse by itself.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
});
for (const event of ["server_error", "backchannel.error", "grant.error", "authorization.error"]) {
  provider.on(event, (ctx, error) => console.error(event, ctx?.path, error));
}
server.on("request", provider.callback());
console.log(issuer);
