// A backend for frontends from the examples of express-openid-connect and
// http-proxy-middleware: sessions in a store, 401 for calls without one, the access token
// renewed when it has ended, and sent to the API.
const express = require('express');
const { auth } = require('express-openid-connect');
const Store = require('memorystore')(auth);
const { createProxyMiddleware } = require('http-proxy-middleware');

const { PORT, ISSUER, API, CLIENT, SECRET, BASE, IDLE, MOST } = process.env;
const app = express();
app.set('trust proxy', 'loopback');
app.use(auth({
  authRequired: false,
  issuerBaseURL: ISSUER,
  baseURL: BASE,
  clientID: CLIENT,
  clientSecret: SECRET,
  secret: '0123456789abcdef0123456789abcdef',
  idpLogout: true,
  backchannelLogout: true,
  authorizationParams: { response_type: 'code', response_mode: 'query', scope: 'openid profile email offline_access' },
  transactionCookie: { sameSite: 'Lax' },
  session: { name: '__Host-shop', rollingDuration: Number(IDLE), absoluteDuration: Number(MOST), store: new Store({ checkPeriod: 86400000 }), cookie: { sameSite: 'Strict', secure: true, httpOnly: true, path: '/' } },
}));
app.get('/me', (req, res) => {
  if (!req.oidc.isAuthenticated()) return res.status(401).json({});
  res.set('Cache-Control', 'no-store').json(req.oidc.user);
});
app.use('/api', async (req, res, next) => {
  if (!req.oidc.isAuthenticated()) return res.status(401).json({});
  try {
    let token = req.oidc.accessToken;
    if (token && token.isExpired() && req.oidc.refreshToken) token = await token.refresh();
    if (!token || token.isExpired()) return res.status(401).json({});
    req.token = token.access_token;
    next();
  } catch (err) {
    next(err);
  }
}, createProxyMiddleware({
  target: API + '/api',
  changeOrigin: true,
  xfwd: true,
  on: {
    proxyReq: (out, req) => {
      out.setHeader('Authorization', 'Bearer ' + req.token);
      out.removeHeader('Cookie');
    },
  },
}));
app.get('/', (req, res) => res.send('home'));
app.listen(Number(PORT), '127.0.0.1');
