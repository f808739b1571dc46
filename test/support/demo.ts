// The demo relying party on a free port, as a client of its own.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createDemo } from '../../scripts/demo/app.ts'
import type { NewClient } from '../../src/clients/client.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { freePort, type TestServer } from './server.ts'

/** A running demo. */
export interface TestDemo {
  readonly origin: string
  close(): void
}

/** Registers a first-party client, unless told otherwise, and serves its demo; the caller closes it. */
export async function startDemo(server: TestServer, given: Partial<NewClient> = {}): Promise<TestDemo> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const clientId = `demo-${randomUUID()}`
  const { secret = '' } = await server.services.clients.create(systemActor, {
    clientId,
    name: 'Authy2 demo',
    isFirstParty: true,
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/`],
    ...given,
  })
  const app = createDemo({ issuer: new URL(server.issuer), origin, clientId, clientSecret: secret })
  const listening = createServer(app.callback()).listen(port, 'localhost')
  await once(listening, 'listening')
  return {
    origin,
    close: () => {
      listening.close()
      listening.closeAllConnections()
    },
  }
}
