// Nothing here is secret: the server lives for one test.
module.exports = () => ({
  auth: { secret: 'for the test' },
  apiToken: { salt: 'for the test' },
  transfer: { token: { salt: 'for the test' } },
  secrets: { encryptionKey: 'for the test, and of the length wanted' },
  serveAdminPanel: false,
  flags: { nps: false, promoteEE: false }
})
