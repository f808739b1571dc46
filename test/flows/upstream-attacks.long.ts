// What strangers try by other providers: to come into accounts that are not theirs, to have theirs taken for another's, to pass what is closed.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { z } from 'zod'
import type { Connector } from '../../src/connectors/connector.ts'
import { isShownOnPage } from '../../src/interactions/interaction.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { hashOf } from '../../src/platform/secrets.ts'
import { makeClient } from '../support/clients.ts'
import { codeOf, mailTo } from '../support/mails.ts'
import { visitor } from '../support/passkeys.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toCode, toPassword } from '../support/sign-in-pages.ts'
import { alertOf, claimsOf, makeConnection, makeTenant, pressConnection, signInBy, somebody, toCallback } from '../support/upstream-journeys.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let upstream: Upstream
let open: string
let trusted: string
test.before(async () => {
  ;[server, upstream] = await Promise.all([startServer(), startUpstream()])
  open = (await makeConnection(server, upstream)).id
  trusted = (await makeConnection(server, upstream, { trustsEmails: true })).id
})
test.after.always(async () => {
  await server?.close()
  await upstream?.close()
})

const password = 'a password of the attacker'
const neutral = 'That did not lead to an account here. Sign in another way or create an account; you can then link the two in your account.'
const unusable = 'The answer of the other provider could not be used. Try again, or sign in another way.'
const gone = 'This way to sign in is not offered here. Choose another.'
const rows = () => server.resources.database.prisma
const finish = async ({ person, callback }: Awaited<ReturnType<typeof toCallback>>) => person.follow(await person.get(callback), redirectUri)
const identitiesOf = (userId: string) => rows().identity.count({ where: { userId } })

/** An account in somebody's name, which its maker never proved. */
const hijack = async (email: string) => {
  const { id } = await server.services.users.create(systemActor, { email, name: 'Not them' })
  await server.services.signIn.setPassword(systemActor, { id, password })
  return id
}
const passwordWorks = async (email: string) => {
  const { person, page } = await toPassword(server, email)
  return (await person.submit(page, { password })).status !== 401
}
/** The owner of an address proves it by mail; their relying party is told who they are. */
const proveByMail = async (email: string) => {
  const { person, page, configuration, checks } = await toCode(server, email)
  const end = await person.follow(await person.submit(page, { code: codeOf(await mailTo(server, email, 'sign-in code')) }), redirectUri)
  return claimsOf({ configuration, checks, end })
}

for (const order of ['at once', 'after the attacker signed in'])
  test(`pre-hijacking, merge: an unproven account is its owner’s who comes by a believed provider ${order}, and nothing of its maker is left`, async t => {
    const who = somebody()
    const id = await hijack(who.email)
    if (order !== 'at once') t.true(await passwordWorks(who.email))
    const sessions = await rows().session.count({ where: { userId: id, endedAt: null } })
    t.is((await claimsOf(await signInBy(server, { upstream, connection: trusted, who }))).sub, id)
    t.false(await passwordWorks(who.email))
    t.is(await identitiesOf(id), 1)
    t.truthy((await rows().user.findUniqueOrThrow({ where: { id } })).emailVerifiedAt)
    t.is(await rows().session.count({ where: { userId: id, endedAt: null } }), 1, `${sessions} before`)
  })

test('of twenty sign-ins that prove an unproven account by a believed provider at once each comes to it or ends with what the first proof ended', async t => {
  const who = somebody()
  const id = await hijack(who.email)
  const all = await Promise.all(Array.from({ length: 20 }, () => signInBy(server, { upstream, connection: trusted, who })))
  const came = await Promise.all(
    all.map(one =>
      claimsOf(one).then(
        ({ sub }) => sub,
        ({ error }) => error,
      ),
    ),
  )
  t.true(came.includes(id))
  t.deepEqual(
    came.filter(one => one !== id && one !== 'invalid_grant'),
    [],
  )
  t.is(await identitiesOf(id), 1)
  t.is((await claimsOf(await signInBy(server, { upstream, connection: trusted, who }))).sub, id)
})

for (const order of ['before', 'after'])
  test(`pre-hijacking, trojan identity: what a stranger linked ${order} their last sign-in goes when the owner proves the address`, async t => {
    const email = `${randomUUID()}@people.example`
    const stranger = somebody({ email })
    const { sub: id } = await claimsOf(await signInBy(server, { upstream, connection: open, who: stranger }))
    if (order === 'before') await claimsOf(await signInBy(server, { upstream, connection: open, who: stranger }))
    t.is((await proveByMail(email)).sub, id)
    t.is(await identitiesOf(id), 0)
    const { end } = await signInBy(server, { upstream, connection: open, who: stranger })
    t.is(alertOf(end), neutral)
  })

test('pre-hijacking, unexpired session: a stranger’s session in an unproven account ends when its owner proves the address', async t => {
  const email = `${randomUUID()}@people.example`
  const { person, end } = await signInBy(server, { upstream, connection: open, who: somebody({ email }) })
  t.truthy(end.location?.searchParams.get('code'))
  await proveByMail(email)
  const { request } = await makeClient(server)
  t.is((await person.get((await request({ prompt: 'none' })).url)).location?.searchParams.get('error'), 'login_required')
})

test('pre-hijacking, pending change: an address that a stranger wants to move to is its owner’s who came by a provider', async t => {
  const attacker = await makeUser(server)
  const who = somebody()
  const user = await server.services.users.find(attacker.id)
  if (!user) return t.fail()
  await server.services.emailChanges.request({ ...systemActor, kind: 'user', id: user.id, userId: user.id }, { user, email: who.email })
  const { sub } = await claimsOf(await signInBy(server, { upstream, connection: trusted, who }))
  t.not(sub, attacker.id)
  const mail = await mailTo(server, who.email, 'Confirm your new email address')
  const token = /email\/confirm\/([\w-]+)/.exec(mail.text)?.[1] ?? ''
  await Promise.allSettled([server.services.emailChanges.confirm({ ...systemActor, userId: attacker.id }, { end: 'new', token })])
  t.is((await rows().user.findUniqueOrThrow({ where: { id: attacker.id } })).email, attacker.email)
  t.is((await rows().user.findUniqueOrThrow({ where: { id: sub } })).email, who.email)
})

for (const order of ['before', 'after'])
  test(`pre-hijacking, provider that proves nothing: one that is not believed leads nobody into a verified account, ${order} its owner came`, async t => {
    const user = await makeUser(server)
    if (order === 'after') await claimsOf(await signInBy(server, { upstream, connection: trusted, who: somebody({ email: user.email }) }))
    const before = await identitiesOf(user.id)
    const { end } = await signInBy(server, { upstream, connection: open, who: somebody({ email: user.email }) })
    t.is(end.status, 403)
    t.is(alertOf(end), neutral)
    t.is(await identitiesOf(user.id), before)
  })

test('whether there is an account is told by neither words nor status', async t => {
  const known = await makeUser(server)
  const closed = (await makeConnection(server, upstream, { createsUsers: false })).id
  const told = async (email: string) => {
    const { end } = await signInBy(server, { upstream, connection: closed, who: somebody({ email }) })
    return `${end.status} ${alertOf(end)}`
  }
  t.is(await told(known.email), await told(`${randomUUID()}@people.example`))
  const refusals = await rows().auditEvent.findMany({ where: { action: 'sign_in.refused' }, select: { target: true } })
  t.true(refusals.some(({ target }) => (target as Record<string, unknown>).reason === 'address_not_believed'))
  t.true(refusals.some(({ target }) => (target as Record<string, unknown>).reason === 'no_account'))
})

for (const [name, verified] of [
  ['false', { email_verified: false }],
  ['missing', { email_verified: undefined }],
  ['a text', { email_verified: 'true' }],
  ['a number', { email_verified: 1 }],
] as const)
  test(`email_verified ${name}: neither linked nor made a user of`, async t => {
    const user = await makeUser(server)
    for (const email of [user.email, `${randomUUID()}@people.example`]) {
      const { end } = await signInBy(server, { upstream, connection: trusted, who: somebody({ email, ...verified }) })
      t.is(alertOf(end), neutral)
    }
    t.is(await identitiesOf(user.id), 0)
  })

test('equal subjects of two connections are two people', async t => {
  const who = somebody()
  const first = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  const other = await makeConnection(server, upstream)
  const second = await claimsOf(await signInBy(server, { upstream, connection: other.id, who: { ...somebody(), sub: who.sub } }))
  t.not(second.sub, first.sub)
})

test('an organization’s provider speaks for no address outside of its proven domains', async t => {
  const tenant = await makeTenant(server)
  const connection = (await makeConnection(server, upstream, { organizationId: tenant.id })).id
  const victim = await makeUser(server)
  const organizationClient = await makeClient(server, { organizationId: tenant.id })
  const person = createPerson()
  const page = await person.follow(await person.get((await organizationClient.request()).url), redirectUri)
  const sent = await pressConnection(person, page, connection)
  const end = await person.follow(await person.get(await upstream.signIn(sent.location ?? '', somebody({ email: victim.email }))), redirectUri)
  t.is(alertOf(end), neutral)
  t.is(await identitiesOf(victim.id), 0)
})

test('another organization’s button is none, however it is pressed', async t => {
  const [tenant, other] = [await makeTenant(server), await makeTenant(server)]
  const theirs = (await makeConnection(server, upstream, { organizationId: other.id })).id
  const { request } = await makeClient(server, { organizationId: tenant.id })
  const person = createPerson()
  const page = await person.follow(await person.get((await request({ connection: theirs })).url), redirectUri)
  t.is(page.status, 200)
  const end = await pressConnection(person, page, theirs)
  t.is(end.status, 404)
  t.is(alertOf(end), gone)
})

const hints = [
  ['no address', () => undefined, false],
  ['an address elsewhere', () => 'people.example', false],
  ['an address of another organization', (_own: string, others: string) => others, false],
  ['an address of its proven domain', (own: string) => own, true],
] as const
for (const [hint, domainOf, isLed] of hints)
  test(`an app of nobody that leads to an organization’s provider with ${hint} ${isLed ? 'goes there at once' : 'shows its button, and goes nowhere by itself'}`, async t => {
    const [tenant, other] = [await makeTenant(server), await makeTenant(server)]
    const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id })
    const domain = domainOf(tenant.domain, other.domain)
    const { request } = await makeClient(server)
    const person = createPerson()
    const { url } = await request({ connection, ...(domain ? { login_hint: `ida@${domain}` } : {}) })
    const answer = await person.follow(await person.get(url), upstream.local)
    t.is(answer.location?.href.startsWith(upstream.local) ?? false, isLed)
    if (isLed) return
    t.is(answer.status, 200)
    t.true(answer.body.includes(`value="${connection}"`))
    t.true((await pressConnection(person, answer, connection)).location?.href.startsWith(upstream.local))
    const { page } = await beginSignIn(server)
    t.false(page.body.includes(connection))
  })

test('a link alone replaces nobody’s session: a client that nobody vouches for leads to a button, and the page in between asks', async t => {
  const tenant = await makeTenant(server)
  const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id, name: 'Google' })
  const { request } = await makeClient(server, { isFirstParty: false })
  const victim = await makeUser(server, { password })
  const signed = await toPassword(server, victim.email)
  const { person } = signed
  await person.follow(await person.submit(signed.page, { password }), redirectUri)
  const { url } = await request({ connection, login_hint: `me@${tenant.domain}`, prompt: 'login' })
  const page = await person.follow(await person.get(url), upstream.local)
  t.is(page.status, 200)
  const { name } = await rows().organization.findUniqueOrThrow({ where: { id: tenant.id } })
  t.true(page.body.includes(`Continue with <bdi>Google</bdi> of <bdi>${name}</bdi>`))
  const sent = await pressConnection(person, page, connection)
  const who = somebody({ email: `me@${tenant.domain}` })
  let asked = await person.get(await upstream.signIn(sent.location ?? '', who))
  while (asked.location) asked = await person.get(asked.location)
  t.true(asked.body.includes(`You are signed in as ${victim.email}`))
  t.true(asked.body.includes(`signed in as ${who.email}`))
  t.false(asked.body.includes('<script'))
})

test('whoever typed their address here goes on to their organization’s provider at once', async t => {
  const tenant = await makeTenant(server)
  await makeConnection(server, upstream, { organizationId: tenant.id })
  const { request } = await makeClient(server, { isFirstParty: false })
  const person = createPerson()
  const page = await person.follow(await person.get((await request()).url), upstream.local)
  const sent = await person.submit(page, { username: `me@${tenant.domain}` })
  t.true(sent.location?.href.startsWith(upstream.local))
})

test('an organization’s provider that nobody led to is not pressed in an app of nobody', async t => {
  const tenant = await makeTenant(server)
  const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id })
  const { person, page } = await beginSignIn(server)
  const end = await pressConnection(person, page, connection)
  t.is(end.status, 404)
  t.is(alertOf(end), gone)
})

test('an answer brought to another browser signs it in to nothing', async t => {
  const attacker = await toCallback(server, { upstream, connection: open, who: somebody() })
  const victim = await beginSignIn(server)
  const brought = await victim.person.get(attacker.callback)
  t.is(brought.status, 303)
  const end = await victim.person.follow(brought, redirectUri)
  t.is(end.location, undefined)
  t.is(end.status, 404)
})

test('whoever sends the provider’s address of their own sign-in to somebody else is not signed in as them', async t => {
  const victim = await makeUser(server)
  const { person, page } = await beginSignIn(server)
  const sent = await pressConnection(person, page, trusted)
  // The other one signs in at the provider, whose answer their browser brings to us.
  const brought = await createPerson().get(await upstream.signIn(sent.location ?? '', somebody({ email: victim.email })))
  t.is(brought.status, 303)
  const state = sent.location?.searchParams.get('state') ?? ''
  for (const more of ['', '&answer=', `&answer=${state}`, `&answer=${randomUUID()}`]) {
    const end = await person.follow(
      await person.get(new URL(`${beside(page.url, 'connection/return').pathname}?state=${state}${more}`, server.issuer)),
      redirectUri,
    )
    t.is(end.location, undefined)
    t.is(end.status, 400)
    t.is(alertOf(end), unusable)
  }
  t.is(await identitiesOf(victim.id), 0)
})

test('the answer to one interaction is nothing to another of the same browser', async t => {
  const first = await toCallback(server, { upstream, connection: open, who: somebody() })
  const other = await beginSignIn(server, { person: first.person })
  const { location } = await first.person.get(first.callback)
  const end = await first.person.get(new URL(`${beside(other.page.url, 'connection/return').pathname}${location?.search}`, server.issuer))
  t.is(end.status, 400)
  t.is(alertOf(end), unusable)
})

test('a callback is taken once, and the sign-in goes on where it went when its page is loaded again', async t => {
  const begun = await toCallback(server, { upstream, connection: open, who: somebody() })
  const first = await begun.person.get(begun.callback)
  const again = await begun.person.get(begun.callback)
  t.is(first.status, 303)
  t.is(again.status, 400)
  const back = first.location as URL
  const answers = await Promise.all(Array.from({ length: 20 }, () => begun.person.get(back)))
  const kept = await rows().auditEvent.count({
    where: { action: 'sign_in.succeeded', targetId: { not: null }, requestId: { in: answers.map(({ headers }) => headers.get('x-request-id') ?? '') } },
  })
  t.is(kept, 1)
  t.true(answers.some(({ location }) => location?.pathname.startsWith('/oauth2/authorize/')))
})

/** A connection of a connector that names whoever it is told to at once. */
const makeOddConnection = async (subject: string) => {
  const odd = `odd-${randomUUID()}`
  const connector: Connector = {
    ...{ id: odd, name: 'Odd', settings: z.unknown(), secrets: z.unknown(), authorityOf: () => 'odd', test: async () => [] },
    begin: async ({ callbackUrl }, { state }) => ({ redirectUrl: new URL(`${callbackUrl}?state=${state}`), kept: {} }),
    complete: async () => ({ subject, email: `${randomUUID()}@people.example`, isEmailVerified: true, claims: {} }),
  }
  ;(server.services.connectors as Map<string, Connector>).set(odd, connector)
  return { connector: odd, ...(await makeConnection(server, upstream, { connector: odd })) }
}

for (const [what, subject] of [
  ['nobody', ' '],
  ['half a character', '\ud800'],
  ['a subject without end', 'x'.repeat(1025)],
] as const)
  test(`an answer that names ${what} is refused also where the sign-in is further already`, async t => {
    const { id } = await makeOddConnection(subject)
    const { person, end } = await signInBy(server, {
      ...{ upstream, connection: open, who: somebody() },
      parameters: { acr_values: 'urn:authy2:acr:2' },
    })
    t.true(end.url.pathname.endsWith('/enrol'))
    const page = await person.get(beside(end.url, 'identifier'))
    const refused = await person.follow(await pressConnection(person, page, id), redirectUri)
    t.is(refused.status, 400)
    t.is(alertOf(refused), unusable)
    const again = await person.get(refused.url)
    t.true(again.location?.pathname.endsWith('/enrol'))
  })

const refusalsOf = (method: string) =>
  rows().auditEvent.findMany({ where: { action: 'sign_in.refused', outcome: 'refused', target: { path: ['method'], equals: method } } })

test('an attempt whose connection went on the way is in the audit log', async t => {
  const { id, connector } = await makeOddConnection(randomUUID())
  const { person, page } = await beginSignIn(server)
  const back = await person.get((await pressConnection(person, page, id)).location as URL)
  await rows().connection.update({ where: { id }, data: { disabledAt: new Date() } })
  server.services.connections.forget(id)
  t.is(alertOf(await person.follow(back, redirectUri)), gone)
  t.deepEqual(
    (await refusalsOf(connector)).map(({ target }) => (target as Record<string, unknown>).reason),
    ['connection_gone'],
  )
})

test('an attempt that is overtaken again and again is told as busy, and is in the audit log', async t => {
  const { id, connector } = await makeOddConnection(randomUUID())
  await server.resources.database.pool.query(`
    CREATE FUNCTION overtake() RETURNS trigger AS $$ BEGIN
      RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation', CONSTRAINT = TG_ARGV[0], DETAIL = 'Key (connection_id, subject)=(x, y) already exists.';
    END; $$ LANGUAGE plpgsql;
    CREATE TRIGGER overtake BEFORE INSERT ON identities FOR EACH ROW WHEN (NEW.connection_id = '${id}') EXECUTE FUNCTION overtake('identities_connection_id_subject_key')`)
  const { person, page } = await beginSignIn(server)
  const end = await person.follow(await pressConnection(person, page, id), redirectUri)
  t.is(end.status, 503)
  t.is(alertOf(end), 'The server is busy. Try again in a moment.')
  t.deepEqual(
    (await refusalsOf(connector)).map(({ target }) => (target as Record<string, unknown>).reason),
    ['busy'],
  )
})

test('an attempt whose organization goes in the middle is told on the page, and is in the audit log', async t => {
  const tenant = await makeTenant(server)
  const { id, connector } = await makeOddConnection(randomUUID())
  const found = await server.services.connections.find(id)
  if (!found) return t.fail()
  await rows().organization.update({ where: { id: tenant.id }, data: { deletedAt: new Date() } })
  // The connection as it was read: of an organization that is there no more when it is joined.
  const connection = { ...found, organizationId: tenant.id }
  const identity = { subject: randomUUID(), email: `${randomUUID()}@${tenant.domain}`, isEmailVerified: true, claims: {} }
  const error = await t.throwsAsync(server.services.upstreamSignIn.prove(visitor(), { connection, identity, maySignUp: async () => true }))
  t.true(isShownOnPage(error), String(error))
  t.is((await refusalsOf(connector)).length, 1)
})

test('mix-up: an answer at the callback of another connection is refused and uses nothing up', async t => {
  const begun = await toCallback(server, { upstream, connection: open, who: somebody() })
  const crossed = new URL(begun.callback.href.replace(open, trusted))
  t.is((await begun.person.get(crossed)).status, 400)
  t.deepEqual((await claimsOf({ ...begun, end: await finish(begun) })).amr, ['fed'])
})

test('a state that is unknown, empty, missing or said twice is told on the error page', async t => {
  const { callback } = await toCallback(server, { upstream, connection: open, who: somebody() })
  const state = callback.searchParams.get('state') ?? ''
  for (const query of [
    '?code=x',
    '?state=&code=x',
    `?state=${randomUUID()}&code=x`,
    `?state=${state}&state=${state}&code=x`,
    `?state=${state}&RelayState=${state}`,
  ]) {
    const answer = await createPerson().get(new URL(`/connections/${open}/callback${query}`, server.issuer))
    t.is(answer.status, 400, query)
    t.true(answer.body.includes(unusable))
  }
  for (const id of [randomUUID(), 'x', '%27'])
    t.true([400, 404].includes((await createPerson().get(new URL(`/connections/${id}/callback?state=${state}`, server.issuer))).status))
})

test('an expired answer is refused on the first page', async t => {
  const begun = await toCallback(server, { upstream, connection: open, who: somebody() })
  const sent = await begun.person.get(begun.callback)
  const hash = new Uint8Array(hashOf('upstream-state', begun.callback.searchParams.get('state') ?? ''))
  await rows().upstreamRequest.update({ where: { hash }, data: { expiresAt: new Date(Date.now() - 1000) } })
  const end = await begun.person.follow(sent, redirectUri)
  t.is(end.status, 400)
  t.is(alertOf(end), unusable)
})

test('a callback takes forms of other sites up to 300 KiB and nothing else, and a look ahead uses nothing up', async t => {
  const begun = await toCallback(server, { upstream, connection: open, who: somebody() })
  const at = new URL(`/connections/${open}/callback`, server.issuer)
  const foreign = { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' }
  const send = (body: string, type = 'application/x-www-form-urlencoded') =>
    createPerson().send(at, { method: 'POST', body, headers: { 'content-type': type, ...foreign } })
  t.is((await send(`SAMLResponse=${'x'.repeat(301 * 1024)}`)).status, 413)
  t.is((await send('{}', 'application/json')).status, 415)
  t.is((await send(`SAMLResponse=${'x'.repeat(200 * 1024)}`)).status, 400)
  t.is((await begun.person.send(begun.callback, { method: 'HEAD' })).status, 404)
  const posted = await send(begun.callback.search.slice(1))
  t.is(posted.status, 303)
})

const endings = {
  'a connection that is disabled': async (_sub: string, connection: string) =>
    rows().connection.update({ where: { id: connection }, data: { disabledAt: new Date() } }),
  'a connection that is deleted': async (_sub: string, connection: string) =>
    rows().connection.update({ where: { id: connection }, data: { deletedAt: new Date() } }),
  'a user who is suspended': async (sub: string) => server.services.userAdministration.suspend(systemActor, sub as never),
}
for (const [what, end] of Object.entries(endings))
  for (const moment of ['before it begins', 'before the answer', 'before the answer is taken'])
    test(`${what} ${moment} lets nobody in`, async t => {
      const { id: connection } = await makeConnection(server, upstream)
      const who = somebody()
      const { sub } = await claimsOf(await signInBy(server, { upstream, connection, who }))
      const person = createPerson()
      const { page } = await beginSignIn(server, { person })
      // One that went is told as gone; of a person nothing is told.
      const said = what.startsWith('a connection') ? gone : neutral
      if (moment === 'before it begins') {
        await end(sub, connection)
        await sleep(1100)
      }
      const sent = await pressConnection(person, page, connection)
      if (moment === 'before it begins' && said === gone) {
        t.is(sent.status, 404)
        return t.is(alertOf(sent), gone)
      }
      const callback = await upstream.signIn(sent.location ?? '', who)
      if (moment === 'before the answer') await end(sub, connection)
      const back = await person.get(callback)
      if (moment === 'before the answer is taken') await end(sub, connection)
      const last = await person.follow(back, redirectUri)
      t.is(last.location, undefined)
      t.is(alertOf(last), said)
    })

for (const moment of ['before it begins', 'before the answer is taken'])
  test(`whoever is deleted ${moment} comes in as somebody new`, async t => {
    const who = somebody()
    const { sub } = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
    const remove = () => server.services.userAdministration.remove(systemActor, sub as never)
    if (moment === 'before it begins') await remove()
    const begun = await toCallback(server, { upstream, connection: open, who })
    const back = await begun.person.get(begun.callback)
    if (moment !== 'before it begins') await remove()
    const made = await claimsOf({ ...begun, end: await begun.person.follow(back, redirectUri) })
    t.not(made.sub, sub)
    t.is(await identitiesOf(sub), 0)
  })

for (const moment of ['before it begins', 'before the answer is taken'])
  test(`an organization that is deleted ${moment} lets nobody in by its connection`, async t => {
    const tenant = await makeTenant(server)
    const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id })
    const who = somebody({ email: `${randomUUID()}@${tenant.domain}` })
    const { person, page } = await beginSignIn(server)
    const remove = () => server.services.organizations.remove(systemActor, tenant.id)
    if (moment === 'before it begins') {
      const led = await person.submit(page, { username: who.email })
      t.true(led.location?.href.startsWith(upstream.local))
      await remove()
      const answer = await person.submit(page, { username: who.email })
      t.true(answer.location?.pathname.endsWith('/password'))
      await sleep(1100)
      const { request } = await makeClient(server)
      const stranger = createPerson()
      const first = await stranger.follow(await stranger.get((await request({ connection, login_hint: who.email })).url), upstream.local)
      t.is(first.status, 200)
      t.false(first.body.includes(connection))
      t.is(alertOf(await pressConnection(stranger, first, connection)), gone)
      t.is(await rows().identity.count({ where: { connectionId: connection } }), 0)
      return
    }
    const sent = await person.submit(page, { username: who.email })
    const back = await person.get(await upstream.signIn(sent.location ?? '', who))
    await remove()
    const end = await person.follow(back, redirectUri)
    t.is(alertOf(end), gone)
    t.is(await rows().identity.count({ where: { connectionId: connection } }), 0)
  })

test('a client that is disabled on the way gets no code', async t => {
  const { request, clientId } = await makeClient(server)
  const person = createPerson()
  const page = await person.follow(await person.get((await request()).url), redirectUri)
  const sent = await pressConnection(person, page, open)
  const back = await person.get(await upstream.signIn(sent.location ?? '', somebody()))
  await rows().client.update({ where: { clientId }, data: { disabledAt: new Date() } })
  await sleep(1100)
  const end = await person.follow(back, redirectUri)
  t.false(end.location?.searchParams.has('code') ?? false)
})

test('where nobody may make an account nobody becomes one by a provider, but whoever is one comes in', async t => {
  const closed = await startServer({ settings: { SIGN_UP: 'closed' } })
  t.teardown(() => closed.close())
  const { id: connection } = await makeConnection(closed, upstream, { trustsEmails: true })
  const stranger = await signInBy(closed, { upstream, connection, who: somebody() })
  t.is(alertOf(stranger.end), neutral)
  const user = await makeUser(closed)
  t.is((await claimsOf(await signInBy(closed, { upstream, connection, who: somebody({ email: user.email }) }))).sub, user.id)
})

test('the log tells why, and neither codes nor states nor tokens', async t => {
  const begun = await toCallback(server, { upstream, connection: open, who: { ...somebody(), signed: 'with another key' } })
  const end = await finish(begun)
  t.is(alertOf(end), unusable)
  const log = server.logged()
  t.true(log.includes('a sign-in at another provider failed'))
  for (const name of ['code', 'state']) t.false(log.includes(begun.callback.searchParams.get(name) ?? 'none'))
  t.notRegex(log, /eyJ[\w-]+\.eyJ/)
})
