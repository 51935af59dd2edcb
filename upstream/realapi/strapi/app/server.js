// A Strapi with people in the database of DATABASE_URL: ada, bob, who is blocked, and
// eve, who has not confirmed her address. Files are kept in PUBLIC. Prints its port.
const { createStrapi } = require('@strapi/strapi')

async function start() {
  const app = await createStrapi({ appDir: __dirname, distDir: __dirname }).load()
  const advanced = app.store({ type: 'plugin', name: 'users-permissions', key: 'advanced' })
  await advanced.set({ value: { ...(await advanced.get()), email_confirmation: true } })
  const role = await app.db.query('plugin::users-permissions.role').findOne({ where: { type: 'authenticated' } })
  const users = app.plugin('users-permissions').service('user')
  for (const person of [{ username: 'ada' }, { username: 'bob', blocked: true }, { username: 'eve', confirmed: false }]) {
    const email = `${person.username}@example.com`
    await users.add({ email, password: 'a long password', provider: 'local', confirmed: true, blocked: false, role: role.id, ...person })
  }
  await app.listen()
  console.log(app.server.httpServer.address().port)
}

start()
