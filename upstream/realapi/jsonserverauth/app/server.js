// A json-server with json-server-auth, one person, ada, and notes that only people who are
// signed in may read. Prints its port.
import jsonServer from 'json-server'
import auth from 'json-server-auth'

const app = jsonServer.create()
const router = jsonServer.router({ users: [], notes: [{ id: 1, text: 'a note' }] })
app.db = router.db
app.use(auth.rewriter({ users: 600, notes: 660 }))
app.use(auth)
app.use(router)

const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address()
  await fetch(`http://127.0.0.1:${port}/register`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'a long password' }) })
  console.log(port)
})
