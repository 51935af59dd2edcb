// A Parse Server with one person, ada, in the database that the first argument names.
// Prints its port.
import express from 'express'
import { ParseServer } from 'parse-server'

const app = express()
const listener = app.listen(0, '127.0.0.1')
await new Promise((resolve) => listener.once('listening', resolve))
const { port } = listener.address()
const server = new ParseServer({
  databaseURI: process.argv[2],
  appId: 'shop',
  masterKey: 'only for this test',
  maintenanceKey: 'for this test only',
  serverURL: `http://127.0.0.1:${port}/parse`,
  accountLockout: { threshold: 3, duration: 1 },
  silent: true
})
await server.start()
app.use('/parse', server.app)
for (const username of ['ada', 'eve']) {
  const answer = await fetch(`http://127.0.0.1:${port}/parse/users`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Parse-Application-Id': 'shop' },
    body: JSON.stringify({ username, password: 'a long password' })
  })
  if (answer.status !== 201) throw new Error(await answer.text())
}
console.log(port)
