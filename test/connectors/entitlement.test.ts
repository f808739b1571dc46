// How far an address that another provider told is believed: as far as the provider, or the connection's organization, may speak for its domain.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { type Connection, connectionIdSchema, membershipSchema } from '../../src/connectors/connection.ts'
import { readAddress } from '../../src/connectors/entitlement.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeTenant } from '../support/upstream-journeys.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const read = (email: string, { organizationId, authoritativeDomain }: { organizationId?: string; authoritativeDomain?: string }) => {
  const connection: Connection = {
    id: connectionIdSchema.parse(randomUUID()),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...{ connector: 'oidc', authority: 'https://sso.example', name: 'Company login', trustsEmails: false, createsUsers: true },
    membership: membershipSchema.parse({}),
    configured: { connectionId: '', settings: {}, secrets: {}, callbackUrl: '', entityId: '' },
  }
  const identity = { subject: 'somebody', email, isEmailVerified: true, claims: {}, ...(authoritativeDomain === undefined ? {} : { authoritativeDomain }) }
  return readAddress(server.resources.database.prisma, { connection, identity })
}

test('an organization speaks for its proven domains as long as it lives', async t => {
  const { id: organizationId, domain } = await makeTenant(server)
  const isBelieved = async (email: string) => (await read(email, { organizationId }))?.isEntitled
  t.true(await isBelieved(`Ada@${domain.toUpperCase()}`))
  t.false(await isBelieved(`ada@sub.${domain}`))
  await server.services.organizations.remove(systemActor, organizationId)
  t.false(await isBelieved(`ada@${domain}`))
  t.false((await read(`ada@${domain}`, { organizationId }))?.isOfOrganization)
})

test('a provider speaks for the domain that is its own, in whatever form both are written', async t => {
  const isBelieved = async (email: string, authoritativeDomain: string) => (await read(email, { authoritativeDomain }))?.isEntitled
  t.true(await isBelieved('ada@Bücher.Example', 'xn--bcher-kva.example'))
  t.true(await isBelieved('ada@xn--bcher-kva.example', 'BÜCHER.example'))
  for (const strange of ['', 'example', 'evil.example@people.example', 'x.people.example', 'people.example/x'])
    t.false(await isBelieved('ada@people.example', strange), strange)
})
