// An API as people build them, with the real Socket.IO, graphql-ws and tus and a hub for the
// real SignalR client, behind a load balancer that is sticky by cookie; Coatcheck before it,
// with pages of the recipes.
import assert from "node:assert/strict"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FileStore } from "@tus/file-store"
import { Server as Tus } from "@tus/server"
import { build } from "esbuild"
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql"
import { useServer } from "graphql-ws/use/ws"
import { Server as SocketIO } from "socket.io"
import { WebSocketServer } from "ws"
import { freePort, lasting, run } from "./house.js"

const here = new URL(".", import.meta.url).pathname
const token = "tok-MARKED"
const bearer = `Bearer ${token}`

/** Two seconds of silence, as PCM. */
function wav() {
  const samples = Buffer.alloc(16_000, 128), head = Buffer.alloc(44)
  head.write("RIFF"); head.writeUInt32LE(36 + samples.length, 4); head.write("WAVEfmt ", 8); head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(8000, 24); head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34); head.write("data", 36); head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: { hello: { type: GraphQLString } } }),
  subscription: new GraphQLObjectType({ name: "Subscription", fields: { greetings: { type: GraphQLString,
    subscribe: async function* () { yield { greetings: "hello over GraphQL" } } } } }),
})

/** What one message of SignalR's JSON protocol ends with. */
const record = "\x1e"

/** A hub of SignalR, as far as one call of Greet needs it. */
function hub() {
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on("connection", (socket) => socket.on("message", (data) => {
    for (const text of String(data).split(record).filter(Boolean)) {
      const message = JSON.parse(text)
      const say = (answer) => socket.send(JSON.stringify(answer) + record)
      if (message.protocol) say({})
      if (message.target !== "Greet") continue
      say({ type: 1, target: "greeting", arguments: [`hello over ${message.arguments[0]}`] })
      say({ type: 3, invocationId: message.invocationId, result: null })
    }
  }))
  return sockets
}

/**
 * The API; `asked` are the requests of Socket.IO after the first, with their cookies, and
 * `exported` those for a file.
 */
async function api(dir) {
  const asked = [], exported = [], files = new Tus({ path: "/files", datastore: new FileStore({ directory: dir }), respectForwardedHeaders: true })
  const sound = wav()
  const server = createServer(lasting, (request, response) => {
    const path = new URL(request.url, "http://x").pathname
    if (path === "/auth/login") {
      response.setHeader("Content-Type", "application/json")
      return response.end(JSON.stringify({ access_token: token, user: { id: "7", email: "ada@x.test" } }))
    }
    if (path.startsWith("/socket.io/")) return // the engine's own listener answers
    if (request.headers.authorization !== bearer) return response.writeHead(401).end()
    if (path.startsWith("/files")) return files.handle(request, response)
    if (path === "/hubs/chat/negotiate") return response.end(JSON.stringify({ negotiateVersion: 1, connectionId: "c", connectionToken: "t",
      availableTransports: [{ transport: "WebSockets", transferFormats: ["Text"] }] }))
    if (path === "/export") {
      exported.push(request.method)
      return response.writeHead(200, { "Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="export.csv"' }).end("a,b\n1,2\n")
    }
    if (path === "/a.wav") return response.writeHead(200, { "Content-Type": "audio/wav", "Content-Length": sound.length, "Accept-Ranges": "bytes" }).end(sound)
    response.writeHead(200, { "Content-Type": "text/plain" }).end(`report for ${request.url}`)
  })
  const io = new SocketIO({ allowRequest: (request, done) => done(null, request.headers.authorization === bearer) })
  io.attach(server)
  io.engine.on("headers", (headers, request) => {
    if (request._query?.sid) asked.push(request.headers.cookie ?? "")
    headers["Set-Cookie"] = "AWSALB=n1; Path=/"
  })
  io.on("connection", (socket) => socket.emit("greeting", "hello over Socket.IO"))
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "graphql-transport-ws" })
  useServer({ schema, onConnect: (c) => c.connectionParams?.Authorization === bearer }, sockets)
  const chat = hub(), live = new WebSocketServer({ noServer: true })
  live.on("connection", (socket, request) => socket.send(`live for ${request.headers.origin ?? "nobody"}`))
  server.on("upgrade", (request, socket, head) => {
    for (const [path, to] of [["/hubs/", chat], ["/live", live]]) {
      if (request.url.startsWith(path) && request.headers.authorization === bearer) to.handleUpgrade(request, socket, head, (ws) => to.emit("connection", ws, request))
    }
    if (request.url.startsWith("/graphql")) sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws, request))
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { port: server.address().port, asked, exported, stop: async () => { await io.close(); server.closeAllConnections(); server.close() } }
}

/** Pages: an empty one, and the recipes of docs/recipes.md, each a script of its own. */
async function pages(dir) {
  const text = await readFile(join(here, "../../docs/recipes.md"), "utf8")
  const found = Object.fromEntries([...text.matchAll(/<!-- test:recipe (\w+) -->\n```js\n(.*?)\n```/gs)].map((m) => [m[1], m[2]]))
  assert.deepEqual(Object.keys(found).sort(), ["graphql", "signalr", "socketio"])
  const source = await mkdtemp(join(here, "node_modules/everyday-")) // where the packages are found
  await writeFile(join(source, "tus.js"), `import { Upload } from "tus-js-client"; window.Upload = Upload`)
  for (const [name, recipe] of Object.entries(found)) await writeFile(join(source, `${name}.js`), recipe)
  await build({ entryPoints: [...Object.keys(found), "tus"].map((name) => join(source, `${name}.js`)), bundle: true, format: "esm", outdir: dir, logLevel: "warning" })
  await rm(source, { recursive: true })
  await writeFile(join(dir, "index.html"), `<!doctype html><html lang="en"><title>everyday</title><script>window.seen = []; window.show = (text) => seen.push(text)</script></html>`)
}

/** All of it, signed in to at `shop`. */
export async function everyday() {
  const dir = await mkdtemp(join(tmpdir(), "coatcheck-everyday-")), port = await freePort()
  await mkdir(join(dir, "pages"))
  await mkdir(join(dir, "files"))
  const [behind] = await Promise.all([api(join(dir, "files")), pages(join(dir, "pages"))])
  const shop = `http://shop.everyday.localhost:${port}`
  await writeFile(join(dir, "coatcheck.yaml"), `
listen: "127.0.0.1:${port}"
admin: {listen: "127.0.0.1:0"}
drain: {delay: 0s}
sessions: {store: "memory://", keys: ["${Buffer.alloc(32, port).toString("base64")}"]}
upstreams:
  api:
    url: http://127.0.0.1:${behind.port}
    sticky: [AWSALB]
    send: {headers: {Authorization: "Bearer {access_token}"}, socket: {json: {payload: {Authorization: "Bearer {access_token}"}}}}
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token}
      user: {from: response, at: /user, subject: /id}
  plain: {url: "http://127.0.0.1:${behind.port}", sticky: [AWSALB]}
frontends:
  shop:
    origins: ["${shop}"]
    spa: {dir: "${join(dir, "pages")}"}
    cookie: {persistent: remember}
    login: {upstream: api, fields: [email, password, "remember?: bool"], expose: [email]}
    routes:
      - {path: /api/, upstream: api, rewrite: /, websocket: true, methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS]}
      - {path: /api/form/, upstream: api, rewrite: /, methods: [POST], csrf_header: off}
      - {path: /hubs/, upstream: plain, websocket: true, send_token: true}
      - {path: /graphql, upstream: api, websocket: true}
      - {path: /socket.io/, upstream: plain, websocket: true, send_token: true}
`)
  const own = await run(["serve", "-config", join(dir, "coatcheck.yaml")], (log) => log.includes('"msg":"serving"'))
  const stop = async () => { await Promise.all([own.stop(), behind.stop()]); await rm(dir, { recursive: true }) }
  return { shop, asked: behind.asked, exported: behind.exported, log: own.log, stop }
}

/** Signs in from a page that is open, with more fields; it can run in either browser. */
export const enter = (more) => fetch("/bff/login", { method: "POST", headers: { "X-CSRF": "1", "Content-Type": "application/json" },
  body: JSON.stringify({ email: "ada@x.test", password: "p", ...more }) }).then((r) => r.status)
