// Whom a connection may sign in, for how long, and how far what it tells is believed: its organization's own people, while they are, at
// addresses it may speak for, and never those who administrate the system.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type Connection, connectionIdSchema, membershipSchema } from '../../src/connectors/connection.ts'
import type { UpstreamIdentity } from '../../src/connectors/connector.ts'
import { readAddress } from '../../src/connectors/entitlement.ts'
import { passGate } from '../../src/connectors/sign-in-gate.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { visitor } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeConnection, makeTenant } from '../support/upstream-journeys.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const rows = () => server.resources.database.prisma
const nobody = { local: 'http://localhost:1', client_id: 'x', client_secret: 'not a secret' }
const connect = async (given: Parameters<typeof makeConnection>[2] = {}) => (await makeConnection(server, nobody, given)).id
const person = (email: string, more: Partial<UpstreamIdentity> = {}): UpstreamIdentity => ({
  ...{ subject: randomUUID(), email, isEmailVerified: true, claims: {} },
  ...more,
})
const prove = async (connectionId: string, identity: UpstreamIdentity) => {
  const connection = await server.services.connections.find(connectionId)
  if (!connection) throw new Error('no connection')
  const { user } = await server.services.upstreamSignIn.prove(visitor(), { connection, identity, maySignUp: async () => true })
  return user.id as string
}
/** As in the account centre, in a session of theirs. */
const link = async (connectionId: string, identity: UpstreamIdentity, userId: string) => {
  const connection = await server.services.connections.find(connectionId)
  if (!connection) throw new Error('no connection')
  const sid = randomUUID()
  await rows().session.create({ data: { userId, kind: 'browser', sid, amr: ['pwd'], expiresAt: new Date(Date.now() + 60_000) } })
  await server.services.identities.link({ ...visitor(), kind: 'user', id: userId, userId, sessionId: sid }, { connection, identity, userId: userId as never })
}
const unlinked = { code: 'upstream_unlinked' }
const belongs = async (organizationId: string, userId: string) => (await rows().organizationMember.count({ where: { organizationId, userId } })) > 0
const linked = (userId: string) => rows().identity.count({ where: { userId } })
const reasons = async (connector = 'oidc') => {
  const found = await rows().auditEvent.findMany({ where: { action: 'sign_in.refused' }, orderBy: { id: 'desc' }, take: 50, select: { target: true } })
  return found.map(({ target }) => target as Record<string, unknown>).filter(({ method }) => method === connector)
}
const reasonOf = async (userId: string) => (await reasons()).find(({ id }) => id === userId)?.reason

/** An organization with a domain, its connection, and one who came by it. */
const makeMember = async () => {
  const tenant = await makeTenant(server)
  const connection = await connect({ organizationId: tenant.id })
  const who = person(`${randomUUID()}@${tenant.domain}`)
  return { tenant, connection, who, id: await prove(connection, who) }
}
const loseDomain = (domain: string) => rows().organizationDomain.updateMany({ where: { domain }, data: { verifiedAt: null } })
const removeMember = ({ tenant, id }: Awaited<ReturnType<typeof makeMember>>) =>
  server.services.members.remove(systemActor, { organizationId: tenant.id, userId: id as never })

test('an organization’s connection makes no member of a stranger for whose address its provider speaks', async t => {
  const tenant = await makeTenant(server)
  const connection = await connect({ organizationId: tenant.id })
  const { id, email } = await makeUser(server, { email: `${randomUUID().slice(0, 8)}@gmail.com` })
  await t.throwsAsync(prove(connection, person(email, { authoritativeDomain: 'gmail.com' })), unlinked)
  t.false(await belongs(tenant.id, id))
  t.is(await linked(id), 0)
  t.is(await reasonOf(id), 'not_a_member')
})

test('an organization’s connection links a member for whose address its provider speaks', async t => {
  const tenant = await makeTenant(server)
  const connection = await connect({ organizationId: tenant.id })
  const { id, email } = await makeUser(server, { email: `${randomUUID().slice(0, 8)}@gmail.com` })
  await server.services.members.add(systemActor, { organizationId: tenant.id, userId: id, role: 'member' })
  t.is(await prove(connection, person(email, { authoritativeDomain: 'gmail.com' })), id)
})

test('whoever is removed from an organization loses what its connections knew of them, and nothing else', async t => {
  const member = await makeMember()
  const own = await connect({ trustsEmails: true })
  t.is(await prove(own, person(member.who.email ?? '')), member.id)
  await removeMember(member)
  const left = await rows().identity.findMany({ where: { userId: member.id } })
  t.deepEqual(
    left.map(({ connectionId }) => connectionId),
    [own],
  )
  t.is(
    await rows().auditEvent.count({
      where: { action: 'identity.unlinked', occurredAt: { gt: new Date(Date.now() - 60_000) }, target: { path: ['user_id'], equals: member.id } },
    }),
    1,
  )
})

test('whoever is removed in the very moment of being linked is known by nothing', async t => {
  const tenant = await makeTenant(server)
  const connection = await connect({ organizationId: tenant.id })
  const { id, email } = await makeUser(server, { email: `${randomUUID().slice(0, 8)}@gmail.com` })
  await server.services.members.add(systemActor, { organizationId: tenant.id, userId: id, role: 'member' })
  const found = await server.services.connections.find(connection)
  if (!found) return t.fail()
  const identity = person(email, { authoritativeDomain: 'gmail.com' })
  const { joinOrganization: join, verifyConnection, acceptProof } = server.services
  const within = { record: () => undefined, join, verifyConnection, acceptProof }
  const { removing } = await rows().$transaction(async tx => {
    await passGate({ tx, ...within }, { connection: found, identity, userId: id, linkedBy: email, isFirstProof: false })
    const removing = removeMember({ tenant, id, connection, who: identity })
    await sleep(300)
    await tx.identity.create({ data: { connectionId: connection, subject: identity.subject, userId: id } })
    return { removing }
  })
  await removing
  t.is(await linked(id), 0)
})

test('whoever was removed joins again by an address that is theirs and of the organization', async t => {
  const member = await makeMember()
  await removeMember(member)
  t.is(await prove(member.connection, member.who), member.id)
  t.true(await belongs(member.tenant.id, member.id))
})

test('an organization that lost its domain gets nobody back whom it removed', async t => {
  const member = await makeMember()
  await removeMember(member)
  await loseDomain(member.tenant.domain)
  await t.throwsAsync(prove(member.connection, member.who), unlinked)
  t.false(await belongs(member.tenant.id, member.id))
})

/** As before identities went with the membership. */
const forgetMembership = ({ tenant, id }: Awaited<ReturnType<typeof makeMember>>) =>
  rows().organizationMember.deleteMany({ where: { organizationId: tenant.id, userId: id } })

for (const [what, change] of Object.entries({
  'whose domain was lost': async ({ tenant }: Awaited<ReturnType<typeof makeMember>>) => loseDomain(tenant.domain),
  'whose address moved': async ({ id }: Awaited<ReturnType<typeof makeMember>>) => {
    const email = `${randomUUID()}@elsewhere.example`
    return rows().user.update({ where: { id }, data: { email, emailNormalized: email } })
  },
  'whose address is unproven': async ({ id }: Awaited<ReturnType<typeof makeMember>>) => rows().user.update({ where: { id }, data: { emailVerifiedAt: null } }),
}))
  test(`a known person ${what} and who is no member is not signed in by an organization’s connection`, async t => {
    const member = await makeMember()
    await forgetMembership(member)
    await change(member)
    await t.throwsAsync(prove(member.connection, member.who), unlinked)
    t.false(await belongs(member.tenant.id, member.id))
    t.is(await reasonOf(member.id), 'not_a_member')
  })

test('a known person who is no member and of whom another address is told is not signed in', async t => {
  const member = await makeMember()
  await forgetMembership(member)
  await t.throwsAsync(prove(member.connection, { ...member.who, email: `other@${member.tenant.domain}` }), unlinked)
  t.is(await prove(member.connection, member.who), member.id)
})

test('a member is signed in whatever is told of their address', async t => {
  const member = await makeMember()
  const { email: _none, ...who } = member.who
  t.is(await prove(member.connection, who), member.id)
})

test('an organization’s connection never links an administrator of the system', async t => {
  const tenant = await makeTenant(server)
  const connection = await connect({ organizationId: tenant.id })
  const { id, email } = await makeUser(server, { email: `${randomUUID()}@${tenant.domain}` })
  await rows().user.update({ where: { id }, data: { systemRole: 'admin' } })
  await t.throwsAsync(prove(connection, person(email)), unlinked)
  t.is(await linked(id), 0)
  t.false(await belongs(tenant.id, id))
  t.is(await reasonOf(id), 'administrator')
})

test('an organization’s connection never signs in whoever became an administrator of the system', async t => {
  const member = await makeMember()
  await rows().user.update({ where: { id: member.id }, data: { systemRole: 'admin' } })
  await t.throwsAsync(prove(member.connection, member.who), unlinked)
  t.is(await reasonOf(member.id), 'administrator')
})

test('an administrator of the system links no connection of an organization', async t => {
  const { tenant, connection } = await makeMember()
  const { id, email } = await makeUser(server)
  await server.services.members.add(systemActor, { organizationId: tenant.id, userId: id, role: 'member' })
  await rows().user.update({ where: { id }, data: { systemRole: 'admin' } })
  await t.throwsAsync(link(connection, person(email), id), { code: 'connection_gone' })
  t.is(await linked(id), 0)
})

test('the system’s own connection signs in its administrators', async t => {
  const connection = await connect({ trustsEmails: true })
  const { id, email } = await makeUser(server)
  await rows().user.update({ where: { id }, data: { systemRole: 'admin' } })
  t.is(await prove(connection, person(email)), id)
})

test('whoever deleted their account gets a new one by the same provider', async t => {
  const connection = await connect({ trustsEmails: true })
  const who = person(`${randomUUID()}@people.example`)
  const first = await prove(connection, who)
  await server.services.userAdministration.remove(systemActor, first as never)
  const second = await prove(connection, who)
  t.not(second, first)
  t.is(await linked(first), 0)
  t.is(await prove(connection, who), second)
})

test('an account of another address takes over what a deleted one was known by', async t => {
  const connection = await connect({ trustsEmails: true })
  const who = person(`${randomUUID()}@people.example`)
  const first = await prove(connection, who)
  await server.services.userAdministration.remove(systemActor, first as never)
  const { id, email } = await makeUser(server)
  t.is(await prove(connection, { ...who, email }), id)
  t.is(await linked(first), 0)
})

test('what a deleted account was known by is linked by whoever proves it in their own', async t => {
  const connectionId = await connect({ trustsEmails: true })
  const who = person(`${randomUUID()}@people.example`)
  const first = await prove(connectionId, who)
  await server.services.userAdministration.remove(systemActor, first as never)
  const { id } = await makeUser(server)
  await link(connectionId, who, id)
  t.is(await linked(id), 1)
  t.is(await linked(first), 0)
})

test('whoever is suspended is not let in under a new account', async t => {
  const connection = await connect({ trustsEmails: true })
  const who = person(`${randomUUID()}@people.example`)
  const id = await prove(connection, who)
  await server.services.userAdministration.suspend(systemActor, id as never)
  await t.throwsAsync(prove(connection, who), unlinked)
  t.is(await linked(id), 1)
})

test('an attempt that fails for no reason of its own is in the audit log too', async t => {
  const connection = await server.services.connections.find(await connect({}))
  if (!connection) return t.fail()
  const identity = { subject: randomUUID(), email: `${randomUUID()}@people.example`, isEmailVerified: true, claims: {} }
  const maySignUp = async () => {
    throw new Error('a bug')
  }
  const proving = server.services.upstreamSignIn.prove(visitor(), { connection, identity, maySignUp })
  await t.throwsAsync(proving, { message: 'a bug' })
  const events = await rows().auditEvent.findMany({ where: { action: 'sign_in.refused' } })
  t.true(events.some(({ target }) => JSON.stringify(target).includes(connection.id) && JSON.stringify(target).includes('internal')))
})

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
