// Everything that was exchanged for a token dies with it, and with whatever it stood on: at once, and at every place that takes tokens.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, isActive, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
let orders: string
let stock: string
test.before(async () => {
  server = await startServer()
  ;[orders, stock] = await Promise.all([makeResource(server), makeResource(server, { tokenFormat: 'opaque' })])
})
test.after.always(() => server?.close())

const audience = (identifier: string, scopes = ['read', 'write']) => ({ identifier, scopes })

interface Chain {
  readonly front: TestClient
  readonly middle: TestClient
  readonly end: TestClient
  readonly subject: Awaited<ReturnType<typeof makeSubject>>
}
const endings: Record<string, (chain: Chain & { readonly second: string }) => Promise<unknown>> = {
  'the first token is revoked': ({ front, subject }) => client.tokenRevocation(front.configuration, subject.token),
  'one between is revoked': ({ middle, second }) => client.tokenRevocation(middle.configuration, second),
  'the refresh token of its grant is revoked': ({ front, subject }) => client.tokenRevocation(front.configuration, subject.refreshToken),
  'a refresh token of its grant is replayed': async ({ front, subject }) => {
    await client.refreshTokenGrant(front.configuration, subject.refreshToken)
    await client.refreshTokenGrant(front.configuration, subject.refreshToken).catch(() => undefined)
  },
  'consent is taken back': ({ front, subject }) => server.services.consents.revoke(systemActor, { userId: subject.who.id, clientId: front.clientId }),
  'the person is suspended': ({ subject }) => server.services.userAdministration.suspend(systemActor, subject.who.id as never),
  'the session ends': ({ subject }) =>
    server.resources.database.prisma.oidcArtifact.updateMany({ where: { kind: 'Session', accountId: subject.who.id }, data: { revokedAt: new Date() } }),
  'the first client is deleted': ({ front }) => server.services.clientAdministration.remove(systemActor, { id: front.clientId }),
  'one between is deleted': ({ middle }) => server.services.clientAdministration.remove(systemActor, { id: middle.clientId }),
}
for (const [how, end] of Object.entries(endings))
  for (const kind of ['jwt', 'opaque'] as const)
    test(`all that was exchanged for a token ends when ${how} (${kind})`, async t => {
      const front = await makeClient(server, { refreshGraceSeconds: 0 })
      const middle = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(kind === 'jwt' ? orders : stock)] })
      const last = await makeExchanger(server, { allowed_clients: [middle.clientId], audiences: [audience(kind === 'jwt' ? stock : orders)] })
      const subject = await makeSubject(server, front, { resource: kind === 'jwt' ? orders : stock })
      const second = (await exchange(server, middle, subject.token)).access_token
      const third = (await exchange(server, last, second, { resource: kind === 'jwt' ? stock : orders })).access_token
      t.true(await isActive(last, third))
      await end({ front, middle, end: last, subject, second })
      await until(async () => !(await isActive(last, third)))
      const again = await askExchange(server, last, { subject_token: second, subject_token_type: accessTokenType })
      t.is(again.error, 'invalid_request')
    })
