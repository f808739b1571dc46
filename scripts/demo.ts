// Starts the demo relying party: `npm run demo`, http://localhost:4000 (DEMO_PORT), signing in at ISSUER.
import { createServer } from 'node:http'
import { createDemo } from './demo/app.ts'

const port = Number(process.env.DEMO_PORT ?? 4000)
const issuer = process.env.ISSUER ?? 'http://localhost:3000'
const origin = `http://localhost:${port}`

const demo = createDemo({
  issuer: new URL(issuer),
  origin,
  clientId: process.env.DEMO_CLIENT_ID ?? 'acme-portal-001',
  clientSecret: process.env.DEMO_CLIENT_SECRET ?? 'acme_secret_portal_2024',
})

const server = createServer(demo.callback())
server.once('error', (cause: NodeJS.ErrnoException) => {
  console.error(cause.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another by DEMO_PORT.` : cause)
  process.exitCode = 1
})
server.listen(port, '127.0.0.1', () => {
  console.log(`Demo app   ${origin}\nSigns in at ${issuer}, for example as bob@acme-corp.com / UserPass123!`)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}
