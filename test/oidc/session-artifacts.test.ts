// Sessions: what each request changes in the one document is kept, also when they write together.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { lenient, prepareTrack, type Track } from '../support/race.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let track: Track
test.before(async () => {
  server = await startServer()
  track = await prepareTrack({ services: server.services, calls: createCalls(server.issuer), issuer: server.issuer })
})
test.after.always(async () => {
  await track?.calls.close()
  await server?.close()
})

test.serial('a second client that is authorized in a session is remembered in it, so that its code is redeemed', async t => {
  t.is((await track.redeem(track.strict, await track.authorize(track.strict))).status, 200)
})

test.serial('a client whose grant was revoked gets a new one in the same session, and its codes are redeemed', async t => {
  const made = await track.authorize(lenient)
  t.is((await track.redeem(lenient, made)).status, 200)
  t.is((await track.redeem(lenient, made)).status, 400)
  t.is((await track.redeem(lenient, await track.authorize(lenient))).status, 200)
})

test.serial('clients that are authorized in one session at once are all remembered', async t => {
  const clients = Array.from({ length: 8 }, (_, index) => ({ id: `together-${index}`, secret: 'together_secret_0123456789', redirectUri: lenient.redirectUri }))
  for (const { id, secret, redirectUri } of clients)
    await server.services.clients.create(systemActor, {
      clientId: id,
      secret,
      name: id,
      isFirstParty: true,
      authenticationMethod: 'client_secret_basic',
      grantTypes: ['authorization_code'],
      redirectUris: [redirectUri],
    })
  const codes = await Promise.all(clients.map(client => track.authorize(client)))
  for (const [index, client] of clients.entries()) t.is((await track.redeem(client, codes[index] ?? { code: '', verifier: '' })).status, 200, client.id)
})
