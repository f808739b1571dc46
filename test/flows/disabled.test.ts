// Users who are suspended, and clients, resource servers and organizations that are deleted or switched off: at most a second later nothing
// works for them, and what was issued before never does again, whatever comes back.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor as by } from '../../src/platform/actor.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, exchangerGrants, isActive, makeExchanger, makeResource, policyOf } from '../support/exchange.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const takesEffect = () => sleep(1100)
const signedIn = async (parameters: Record<string, string> = {}) => {
  const relyingParty = await makeClient(server)
  const who = await makeUser(server)
  return { ...relyingParty, who, ...(await relyingParty.signIn({ who, parameters })) }
}
const userinfo = ({ configuration, tokens }: Awaited<ReturnType<typeof signedIn>>) =>
  client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck)
const refresh = ({ configuration, tokens }: Awaited<ReturnType<typeof signedIn>>) => client.refreshTokenGrant(configuration, tokens.refresh_token ?? '')

for (const [state, change] of [
  ['suspended', { suspendedAt: new Date() }],
  ['deleted', { deletedAt: new Date() }],
] as const) {
  test(`a ${state} user gets nothing for the tokens they had`, async t => {
    const parts = await signedIn({ scope: 'openid email offline_access', prompt: 'consent' })
    t.is((await userinfo(parts)).email, parts.who.email)
    await server.resources.database.prisma.user.update({ where: { id: parts.who.id }, data: change })
    await takesEffect()
    t.is(await refusal(userinfo(parts)), 'invalid_token')
    t.is(await refusal(refresh(parts)), 'invalid_grant')
    for (const token of [parts.tokens.access_token, parts.tokens.refresh_token ?? ''])
      t.deepEqual({ ...(await client.tokenIntrospection(parts.configuration, token)) }, { active: false })
  })

  test(`a ${state} user who comes with their session is shown the sign-in page, which does not let them in`, async t => {
    const { person, request, who } = await signedIn()
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    const silent = await person.get((await request({ prompt: 'none' })).url)
    t.is(silent.location?.searchParams.get('error'), 'login_required')
    const page = await person.follow(await person.get((await request()).url), redirectUri)
    t.is(page.status, 200)
    t.true(page.body.includes('name="username"'))
    const refused = await person.submit(await person.follow(await person.submit(page, { username: who.email }), redirectUri), { password: who.password })
    t.is(refused.status, 401)
  })

  test(`a code that was issued to a user who is then ${state} gives nothing`, async t => {
    const { person, request, who, configuration } = await signedIn()
    const made = await request()
    const answer = await person.get(made.url)
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    t.is(await refusal(client.authorizationCodeGrant(configuration, answer.location as URL, made.checks)), 'invalid_grant')
  })

  test(`a ${state} user who stands before consent gets no further`, async t => {
    const shop = await makeClient(server, { isFirstParty: false })
    const who = await makeUser(server)
    const person = createPerson()
    let page = await person.follow(await person.get((await shop.request()).url), redirectUri)
    page = await person.follow(await person.submit(page, { username: who.email }), redirectUri)
    page = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
    t.true(page.body.includes('name="decision"'))
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    const after = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
    t.falsy(after.location?.searchParams.get('code'))
    t.true(after.status < 500)
  })
}

test('somebody else may sign in where a suspended user was', async t => {
  const { person, request, who, configuration } = await signedIn()
  await server.resources.database.prisma.user.update({ where: { id: who.id }, data: { suspendedAt: new Date() } })
  await takesEffect()
  const other = await makeUser(server)
  const made = await request()
  let page = await person.follow(await person.get(made.url), redirectUri)
  page = await person.follow(await person.submit(page, { username: other.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: other.password }), redirectUri)
  while (page.body.includes('name="xsrf"')) page = await person.follow(await person.press(page, 'name="xsrf"'), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, page.location as URL, made.checks)
  t.is(tokens.claims()?.sub, other.id)
})

for (const [state, end] of [
  ['deleted', (clientId: string) => server.services.clientAdministration.remove(by, { id: clientId })],
  [
    'switched off',
    (clientId: string) => server.resources.database.prisma.client.update({ where: { clientId }, data: { disabledAt: new Date(), version: { increment: 1 } } }),
  ],
] as const)
  test(`a client that is ${state} can do nothing a second later, and its tokens end`, async t => {
    const parts = await signedIn({ scope: 'openid email offline_access', prompt: 'consent' })
    await end(parts.clientId)
    await takesEffect()
    t.is(await refusal(refresh(parts)), 'invalid_client')
    t.is(await refusal(userinfo(parts)), 'invalid_token')
    const answer = await parts.person.get((await parts.request({ prompt: 'none' })).url)
    t.is(answer.status, 400)
    t.is(answer.location, undefined)
  })

/** What a client holds of a person in an organization of theirs, where that is told, and for itself; and what ends it. */
const makeHolder = async ({ isOwned = false, isNamed = false, isHosted = false, isFirstParty = true } = {}) => {
  const who = await makeUser(server)
  const organization = await makeOrganizationOf(server, who.id)
  const owned = isOwned ? { organizationId: organization.id } : {}
  const named: Record<string, string> = isNamed ? { organization: organization.id } : {}
  const relyingParty = await makeClient(server, { isFirstParty, grantTypes: exchangerGrants, tokenExchange: policyOf(), ...owned })
  const service = await makeExchanger(server, { allowed_clients: [relyingParty.clientId] }, owned)
  const resource = await makeResource(server, isHosted ? { organizationId: organization.id } : {})
  const hold = async (given: Awaited<ReturnType<typeof relyingParty.signIn>>['person'] | undefined) => {
    const parameters = { scope: 'openid email offline_access read', prompt: 'consent', ...named }
    const { tokens, person } = await relyingParty.signIn({ who, person: given, parameters: { ...parameters, resource } })
    const { tokens: plain } = await relyingParty.signIn({ who, person, parameters: { scope: 'openid email', ...named } })
    const own = await client.clientCredentialsGrant(relyingParty.configuration, { resource, scope: 'read' })
    const held = {
      opaque: plain.access_token,
      jwt: tokens.access_token,
      refresh: tokens.refresh_token ?? '',
      own: own.access_token,
      exchanged: (await exchange(server, relyingParty, plain.access_token)).access_token,
      downstream: (await exchange(server, service, plain.access_token)).access_token,
    }
    return { held, person }
  }
  const alive = async (held: Awaited<ReturnType<typeof hold>>['held']) => {
    const told = await Promise.all(
      Object.entries(held).map(async ([name, token]) => ((await isActive(name === 'downstream' ? service : relyingParty, token)) ? name : '')),
    )
    return told.filter(Boolean)
  }
  const serverOf = async () => (await server.resources.database.prisma.resourceServer.findUniqueOrThrow({ where: { identifier: resource } })).id
  return { ...relyingParty, who, organization, resource, hold, alive, serverOf }
}

type Holder = Awaited<ReturnType<typeof makeHolder>>
const all = ['opaque', 'jwt', 'refresh', 'own', 'exchanged', 'downstream']
const ofResource = ['jwt', 'refresh', 'own']
interface RoundTrip {
  readonly of?: Parameters<typeof makeHolder>[0]
  readonly leave: (holder: Holder) => Promise<unknown>
  readonly comeBack: (holder: Holder) => Promise<unknown>
  /** What ends by it. */
  readonly ended: readonly string[]
}

const idOf = ({ clientId: id }: Holder) => ({ id })
const roundTrips: Record<string, RoundTrip> = {
  'a client is disabled and enabled': {
    of: { isFirstParty: false },
    leave: holder => server.services.clientAdministration.update(by, idOf(holder), { isDisabled: true }),
    comeBack: holder => server.services.clientAdministration.update(by, idOf(holder), { isDisabled: false }),
    ended: all,
  },
  'a client is deleted and restored': {
    leave: holder => server.services.clientAdministration.remove(by, idOf(holder)),
    comeBack: holder => server.services.clientAdministration.restore(by, idOf(holder), {}),
    ended: all,
  },
  'the organization of a client is deleted and restored': {
    of: { isOwned: true, isFirstParty: false },
    leave: ({ organization }) => server.services.organizations.remove(by, organization.id),
    comeBack: ({ organization }) => server.services.organizations.restore(by, organization.id),
    ended: all,
  },
  'the organization that tokens name is deleted and restored': {
    of: { isNamed: true, isFirstParty: false },
    leave: ({ organization }) => server.services.organizations.remove(by, organization.id),
    comeBack: ({ organization }) => server.services.organizations.restore(by, organization.id),
    ended: all.filter(name => name !== 'own'),
  },
  'the organization of a resource server is deleted and restored': {
    of: { isHosted: true },
    leave: ({ organization }) => server.services.organizations.remove(by, organization.id),
    comeBack: ({ organization }) => server.services.organizations.restore(by, organization.id),
    ended: ofResource,
  },
  'a resource server is disabled and enabled': {
    of: { isFirstParty: false },
    leave: async ({ serverOf }) => server.services.resourceServerAdministration.update(by, { id: await serverOf() }, { isDisabled: true }),
    comeBack: async ({ serverOf }) => server.services.resourceServerAdministration.update(by, { id: await serverOf() }, { isDisabled: false }),
    ended: ofResource,
  },
  'a resource server is deleted and restored': {
    leave: async ({ serverOf }) => server.services.resourceServerAdministration.remove(by, { id: await serverOf() }),
    comeBack: async ({ serverOf }) => server.services.resourceServerAdministration.restore(by, { id: await serverOf() }, {}),
    ended: ofResource,
  },
}
for (const [what, { of, leave, comeBack, ended }] of Object.entries(roundTrips))
  test(`when ${what}, nothing that was issued lives again, and whoever asks anew gets anew`, async t => {
    const holder = await makeHolder(of)
    const { configuration, resource, hold, alive, who } = holder
    const { held, person } = await hold(undefined)
    t.deepEqual(await alive(held), all)
    await leave(holder)
    await comeBack(holder)
    await takesEffect()
    t.deepEqual(
      await alive(held),
      all.filter(name => !ended.includes(name)),
    )
    t.is(await refusal(client.refreshTokenGrant(configuration, held.refresh)), 'invalid_grant')
    const presented = { subject_token: held.jwt, subject_token_type: accessTokenType, resource, scope: 'read' }
    t.is((await askExchange(server, holder, presented)).error, 'invalid_request')
    const seen = client.fetchUserInfo(configuration, held.opaque, client.skipSubjectCheck)
    if (ended.includes('opaque')) t.is(await refusal(seen), 'invalid_token')
    else t.is((await seen).sub, who.id)
    // What a person allowed goes with what they allowed it to; of a client, a resource server is one thing of several.
    t.is((await server.services.consents.list(who.id)).length, ended.includes('opaque') ? 0 : 1)
    t.deepEqual(await alive((await hold(person)).held), all)
  })

test('what was issued by whoever did not know yet that the client was away ends when it comes back', async t => {
  const holder = await makeHolder()
  await server.services.clientAdministration.update(by, idOf(holder), { isDisabled: true })
  const { database } = server.resources
  // As another process would for a second: the client as it was.
  await database.prisma.client.update({ where: { clientId: holder.clientId }, data: { disabledAt: null, accessEndedAt: null, version: { increment: 1 } } })
  await takesEffect()
  const { held } = await holder.hold(undefined)
  await database.prisma.client.update({ where: { clientId: holder.clientId }, data: { disabledAt: new Date(), version: { increment: 1 } } })
  await takesEffect()
  await server.services.clientAdministration.update(by, idOf(holder), { isDisabled: false })
  await takesEffect()
  t.deepEqual(await holder.alive(held), [])
})
