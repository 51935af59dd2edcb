// A Directus on the database of the variables DB_…, with the administrator of ADMIN_EMAIL
// and ADMIN_PASSWORD. Prints its port.
import { createServer } from '@directus/api/server'

const server = await createServer()
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
