// A Feathers with its own sign-in (local and jwt) and one person, ada. Prints its port.
import { AuthenticationService, JWTStrategy, authenticate } from '@feathersjs/authentication'
import { LocalStrategy, hooks } from '@feathersjs/authentication-local'
import express, { errorHandler, json, rest } from '@feathersjs/express'
import { feathers } from '@feathersjs/feathers'
import { MemoryService } from '@feathersjs/memory'

const app = express(feathers())
app.use(json())
app.configure(rest())
app.set('authentication', {
  secret: 'only for this test, and long enough for HS256',
  entity: 'user',
  service: 'users',
  authStrategies: ['jwt', 'local'],
  jwtOptions: { header: { typ: 'access' }, audience: 'https://example.com', issuer: 'feathers', algorithm: 'HS256', expiresIn: '1h' },
  local: { usernameField: 'email', passwordField: 'password' }
})

app.use('users', new MemoryService({ startId: 1 }))
app.service('users').hooks({
  around: { find: [authenticate('jwt')], get: [authenticate('jwt')] },
  before: { create: [hooks.hashPassword('password')] },
  after: { all: [hooks.protect('password')] }
})

const authentication = new AuthenticationService(app)
authentication.register('jwt', new JWTStrategy())
authentication.register('local', new LocalStrategy())
app.use('authentication', authentication)
app.use(errorHandler({ logger: false, html: false }))

await app.service('users').create({ email: 'ada@example.com', password: 'a long password' })
const server = await app.listen(0, '127.0.0.1')
if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
console.log(server.address().port)
