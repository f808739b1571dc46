// Whom a connection speaks for: domains are proven by a record in a real DNS, by one organization alone, and led to one of its connections;
// where the authority that its subjects are told by changes, nobody is taken for the person another provider called the same.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createRecheckDomains } from '../../src/connectors/domain-watch.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { startDns } from '../support/dns-server.ts'
import { makeOrganization } from '../support/organization.ts'
import { visitor } from '../support/passkeys.ts'
import type { TestServer } from '../support/server.ts'
import { makeConnection, somebody } from '../support/upstream-journeys.ts'
import { connectorsOf } from '../support/upstreams/connecting.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let dns: Awaited<ReturnType<typeof startDns>>
let place: Place
let other: Place
let server: TestServer
test.before(async () => {
  dns = await startDns()
  api = await startApi({ API_REQUESTS_PER_MINUTE: '100000' }, { dnsServers: [dns.server] })
  ;[place, other] = [await makeOrganization(api), await makeOrganization(api)]
  server = api.server
})
test.after.always(async () => {
  await api?.close()
  dns?.close()
})

let count = 0
const newDomain = () => `company-${++count}.example`
type Place = Awaited<ReturnType<typeof makeOrganization>>
const add = async (place: Place, domain = newDomain(), more: object = {}) => {
  const { data, status } = await place.asOwner('POST /domains', { domain, ...more })
  if (status !== 201) throw new Error(`adding a domain answered ${status}`)
  return { ...data, at: `/domains/${data.id}` }
}
const publish = ({ record }: { record: { name: string; value: string } }) => dns.zone.set(record.name, [record.value])
const prove = async (place: Place, domain?: string, more?: object) => {
  const made = await add(place, domain, more)
  publish(made)
  const { data, status } = await place.asOwner(`POST ${made.at}/verify`)
  if (status !== 200) throw new Error(`proving a domain answered ${status}`)
  return { ...made, ...data }
}
const connect = async (place: Place, more: object = {}) =>
  (await place.asOwner('POST /connections', { connector: 'github', settings: { client_id: 'a' }, secrets: { client_secret: 'a client secret' }, ...more })).data
    .id as string
const led = (address: string) => api.server.services.findConnectionForAddress(address)
const backdate = (id: string, columns: Record<string, string>) =>
  api.server.resources.database.pool.query(
    `UPDATE organization_domains SET ${Object.entries(columns)
      .map(([name, ago]) => `${name} = now() - interval '${ago}'`)
      .join(', ')} WHERE id = $1`,
    [id],
  )

test('a domain is proven by a record that says its token', async t => {
  const domain = newDomain()
  const made = await add(place, ` ${domain.toUpperCase()}. `)
  t.like(made, { domain, proven: false, proven_at: null, checked_at: null, connection_id: null, record: { type: 'TXT', name: `_authy2-challenge.${domain}` } })
  t.is(made.record.value.length, 43)
  const { isDomainProvenBy } = api.server.services
  t.is((await place.asOwner(`POST ${made.at}/verify`)).status, 409)
  t.false(await isDomainProvenBy(place.id, domain))
  publish(made)
  const { data } = await place.asAdmin(`POST ${made.at}/verify`)
  t.true(data.proven)
  t.true(await isDomainProvenBy(place.id, domain))
  t.true(await isDomainProvenBy(place.id, domain.toUpperCase()))
  t.false(await isDomainProvenBy(place.id, `sub.${domain}`))
  t.true(dns.asked.includes(`_authy2-challenge.${domain}`))
  const listed = (await place.asOwner('GET /domains?limit=100')).data
  t.deepEqual(
    listed.find(({ id }: { id: string }) => id === made.id),
    data,
  )
  // Once more changes nothing but when it was looked at.
  t.is((await place.asOwner(`POST ${made.at}/verify`)).data.proven_at, data.proven_at)
  const { rows } = await api.server.resources.database.pool.query('SELECT action FROM audit_events WHERE target_id = $1 ORDER BY seq', [made.id])
  t.deepEqual(
    rows.map(({ action }) => action),
    ['domain.created', 'domain.proven'],
  )
})

test('only the token proves a domain, and nothing beside it', async t => {
  const made = await add(place)
  const { name, value } = made.record
  const verify = async (texts: Parameters<typeof dns.zone.set>[1]) => {
    dns.zone.set(name, texts)
    return (await place.asOwner(`POST ${made.at}/verify`)).status
  }
  for (const text of ['', 'x', ` ${value}`, `${value} `, `"${value}"`, `authy2=${value}`, value.slice(0, -1), value.toLowerCase(), `${value}${value}`])
    t.is(await verify([text]), 409, JSON.stringify(text))
  t.is(await verify([]), 409)
  t.is(await verify('failing'), 503)
  t.is(await verify(['v=spf1 -all', [value.slice(0, 20), value.slice(20)]]), 200)
})

test('a DNS that does not answer is said to be so, in little time', async t => {
  const made = await add(place)
  dns.zone.set(made.record.name, 'silent')
  const before = performance.now()
  const { status, headers } = await place.asOwner(`POST ${made.at}/verify`)
  t.is(status, 503)
  t.is(headers['retry-after'], '30')
  t.true(performance.now() - before < 12_000)
})

const kept: readonly (readonly [string, string])[] = [
  ['Bücher.Example', 'xn--bcher-kva.example'],
  ['例え.テスト.example', 'xn--r8jz45g.xn--zckzah.example'],
  ['a.b.c.d.example', 'a.b.c.d.example'],
  ['xn--bcher-kva.example.', 'xn--bcher-kva.example'],
]

test('a domain is kept in one form', async t => {
  for (const [given, domain] of kept) {
    const made = await add(place, given)
    t.is(made.domain, domain)
    await place.asOwner(`DELETE ${made.at}`)
  }
  await add(place, 'straße.example')
  t.is((await place.asOwner('POST /domains', { domain: 'xn--strae-oqa.EXAMPLE' })).status, 409)
})

const refused = [
  ...['', ' ', 'example', 'com', 'localhost', '.example.com', 'example..com', '-a.example', 'a-.example', 'a_b.example', '*.example.com', 'a b.example'],
  ...[
    'https://example.com',
    'example.com/',
    'example.com/x',
    'user@example.com',
    'example.com:443',
    'example.com?x',
    'example.com#x',
    'example.com\\x',
    'a%2eexample.com',
  ],
  ...['127.0.0.1', '1.2.3.4', '0x7f.1', '2130706433', '[::1]', '::1', '１２７.0.0.1', '1.2.3'],
  ...['printer.local', 'db.internal', 'x.localhost', 'x.onion', 'x.test', '1.0.0.127.in-addr.arpa'],
  ...[
    'gmail.com',
    'GoogleMail.com',
    'outlook.com',
    'hotmail.com',
    'yahoo.com',
    'icloud.com',
    'proton.me',
    'gmx.de',
    'web.de',
    'qq.com',
    'yandex.ru',
    'users.noreply.github.com',
  ],
  ...['co.uk', 'com.au', 'co.jp', 'com.br', 'org.uk', 'github.io', 'onmicrosoft.com', 'pages.dev'],
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(120)}example`,
]

test('what is no domain, or everybody’s, is refused', async t => {
  for (const domain of refused) {
    const { status, error } = await place.asOwner('POST /domains', { domain })
    t.is(status, 400, domain)
    t.is(error?.details.fields?.[0]?.path, 'domain')
  }
  t.log(`${refused.length} names`)
})

test('of twenty organizations that prove a domain at once one has it', async t => {
  const domain = newDomain()
  const { organizations, domains } = api.server.services
  const made = await Promise.all(
    Array.from({ length: 20 }, async (_one, number) => {
      const { id } = await organizations.create(systemActor, { name: `Rival ${number}` })
      return domains.create(systemActor, { organizationId: id, domain })
    }),
  )
  dns.zone.set(
    `_authy2-challenge.${domain}`,
    made.map(({ record }) => record.value),
  )
  const outcomes = await Promise.allSettled(made.map(({ id, organizationId }) => domains.verify(systemActor, { id, organizationId })))
  const codes = outcomes.map(outcome => (outcome.status === 'fulfilled' ? 'proven' : outcome.reason.code)).toSorted()
  t.deepEqual(codes, [...Array.from({ length: 19 }, () => 'domain_taken'), 'proven'])
  const proven = await Promise.all(made.map(({ organizationId }) => api.server.services.isDomainProvenBy(organizationId, domain)))
  t.is(proven.filter(Boolean).length, 1)
})

test('a deleted organization holds no domain against those that live', async t => {
  const [gone, heir] = [await makeOrganization(api), await makeOrganization(api)]
  const first = await prove(gone)
  await connect(gone)
  t.truthy(await led(`a@${first.domain}`))
  await api.server.services.organizations.remove(systemActor, gone.id)
  t.is(await led(`a@${first.domain}`), undefined)
  t.false(await api.server.services.isDomainProvenBy(gone.id, first.domain))
  await prove(heir, first.domain)
  t.true(await api.server.services.isDomainProvenBy(heir.id, first.domain))
  await api.server.services.organizations.restore(systemActor, gone.id)
  await sleep(1100)
  t.false((await gone.asOwner(`GET ${first.at}`)).data.proven)
  t.true(await api.server.services.isDomainProvenBy(heir.id, first.domain))
})

test('what an organization connected and proved ends with it', async t => {
  const { prisma } = api.server.resources.database
  const { id } = await api.server.services.organizations.create(systemActor, { name: 'Passing' })
  const connection = await api.server.services.connectionAdministration.create(systemActor, {
    organizationId: id,
    connector: 'github',
    settings: { client_id: 'a' },
    secrets: { client_secret: 'b' },
  })
  await api.server.services.domains.create(systemActor, { organizationId: id, domain: newDomain(), connectionId: connection.id })
  await prisma.organization.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  await api.server.services.organizations.purge(systemActor, 100)
  t.deepEqual(
    [await prisma.connection.count({ where: { id: connection.id } }), await prisma.organizationDomain.count({ where: { organizationId: id } })],
    [0, 0],
  )
})

test('addresses are led to the chosen connection where it works, else to the first', async t => {
  const place = await makeOrganization(api)
  const [late, early] = [await connect(place, { position: 2 }), await connect(place, { position: 1 })]
  const unproven = await add(place)
  const made = await prove(place)
  const address = `Ada@${made.domain.toUpperCase()}`
  t.is(await led(`a@${unproven.domain}`), undefined)
  t.is(await led(address), early)
  t.is(await led(`a@sub.${made.domain}`), undefined)
  for (const strange of ['', '@', made.domain, `a@${made.domain}@other.example`, 'a@', `a@${made.domain}/x`]) t.is(await led(strange), undefined, strange)
  t.is((await place.asAdmin(`PATCH ${made.at}`, { connection_id: late })).data.connection_id, late)
  t.is(await led(address), late)
  await place.asOwner(`PATCH /connections/${late}`, { disabled: true })
  t.is(await led(address), early)
  await place.asOwner(`PATCH /connections/${late}`, { disabled: false })
  await place.asOwner(`DELETE /connections/${late}`)
  t.is(await led(address), early)
  await place.asOwner(`DELETE /connections/${early}`)
  t.is(await led(address), undefined)
  await place.asOwner(`POST /connections/${late}/restore`)
  t.is(await led(address), late)
  t.is((await place.asOwner(`PATCH ${made.at}`, { connection_id: null })).data.connection_id, null)
  await place.asOwner(`DELETE ${made.at}`)
  t.is(await led(address), undefined)
})

test('a domain is led to a connection of its own organization', async t => {
  const foreign = await connect(other)
  const made = await add(place)
  for (const connection_id of [foreign, place.id]) {
    t.is((await place.asOwner(`PATCH ${made.at}`, { connection_id })).status, 400)
    t.is((await place.asOwner('POST /domains', { domain: newDomain(), connection_id })).status, 400)
  }
})

test('a domain of another organization is not there', async t => {
  const { at, domain } = await prove(place)
  for (const [operation, body] of [[`GET ${at}`], [`PATCH ${at}`, { connection_id: null }], [`DELETE ${at}`], [`POST ${at}/verify`, {}]] as const) {
    t.is((await other.asOwner(operation, body)).status, 404, operation)
    t.is((await place.asMember(operation, body)).status, 403, operation)
  }
  t.true(await api.server.services.isDomainProvenBy(place.id, domain))
})

test('a domain of another organization is not changed, also by a caller who expects nothing of it', async t => {
  const { id } = await add(place)
  const connectionId = await connect(other)
  await t.throwsAsync(api.server.services.domains.update(systemActor, { id, organizationId: other.id }, { connectionId }), { code: 'not_found' })
  t.is((await place.asOwner(`GET /domains/${id}`)).data.connection_id, null)
})

test('a change that was made on another state is refused', async t => {
  const connection_id = await connect(place)
  const { at } = await add(place)
  const match = { 'if-match': String((await place.asOwner(`GET ${at}`)).headers.etag) }
  t.is((await place.asOwner(`PATCH ${at}`, { connection_id }, match)).status, 200)
  t.is((await place.asOwner(`PATCH ${at}`, { connection_id: null }, match)).status, 412)
})

test('the tag of an answer is another one wherever the answer is', async t => {
  const { at, id } = await prove(place)
  const before = await place.asOwner(`GET ${at}`)
  await backdate(id, { checked_at: '1 hour' })
  const after = await place.asOwner(`GET ${at}`)
  t.not(after.data.checked_at, before.data.checked_at)
  t.not(after.headers.etag, before.headers.etag)
  t.is((await place.asOwner(`PATCH ${at}`, { connection_id: null }, { 'if-match': String(before.headers.etag) })).status, 412)
  t.is((await place.asOwner(`PATCH ${at}`, {}, { 'if-match': String(before.headers.etag) })).status, 412)
  t.is((await place.asOwner(`PATCH ${at}`, { connection_id: null }, { 'if-match': String(after.headers.etag) })).status, 200)
})

test.serial('a proven domain whose record is gone for three days is proven no more', async t => {
  const { recheckDomains, isDomainProvenBy } = api.server.services
  const [lost, held, unanswered] = [await prove(place), await prove(place), await prove(place)]
  const look = async () => {
    for (const { id } of [lost, held, unanswered]) await backdate(id, { checked_at: '25 hours' })
    await recheckDomains(systemActor, 100)
  }
  const stands = () => Promise.all([lost, held, unanswered].map(({ domain }) => isDomainProvenBy(place.id, domain)))
  dns.zone.delete(lost.record.name)
  dns.zone.set(unanswered.record.name, 'failing')
  await look()
  t.deepEqual(await stands(), [true, true, true])
  const seen = async ({ at }: { at: string }) => (await place.asOwner(`GET ${at}`)).data
  t.truthy((await seen(lost)).missing_since)
  t.is((await seen(unanswered)).missing_since, null)

  // Put back in time, it is as if nothing had been.
  publish(lost)
  await look()
  t.is((await seen(lost)).missing_since, null)
  dns.zone.delete(lost.record.name)
  await look()
  await backdate(lost.id, { missing_since: '2 days' })
  await look()
  t.deepEqual(await stands(), [true, true, true])
  await backdate(lost.id, { missing_since: '73 hours' })
  await look()
  t.deepEqual(await stands(), [false, true, true])
  const { rows } = await api.server.resources.database.pool.query(
    "SELECT organization_id FROM audit_events WHERE target_id = $1 AND action = 'domain.unproven'",
    [lost.id],
  )
  t.deepEqual(rows, [{ organization_id: place.id }])
  publish(lost)
  t.true((await place.asOwner(`POST ${lost.at}/verify`)).data.proven)
})

test.serial('a domain is looked at once a day', async t => {
  const { recheckDomains } = api.server.services
  const { id } = await prove(place)
  await recheckDomains(systemActor, 100)
  await backdate(id, { checked_at: '25 hours' })
  t.is(
    (await Promise.all([recheckDomains(systemActor, 100), recheckDomains(systemActor, 100)])).reduce((a, b) => a + b),
    1,
  )
})

const rows = () => server.resources.database.prisma
const first = { issuer: 'https://first.example', client_id: 'authy2' }
const second = { issuer: 'https://second.example', client_id: 'authy2' }
const secrets = { client_secret: 'a secret' }
const make = async () => {
  const { id } = await makeConnection(server, { local: first.issuer, client_id: first.client_id, client_secret: secrets.client_secret })
  const find = async () => {
    server.services.connections.forget(id)
    const found = await server.services.connections.find(id)
    if (!found) throw new Error('there is no such connection')
    return found
  }
  const proven = async (subject: string, by?: Awaited<ReturnType<typeof find>>) => {
    const { claims } = somebody()
    const identity = { subject, email: String(claims?.email), isEmailVerified: true, claims: {} }
    return server.services.upstreamSignIn.prove(visitor(), { connection: by ?? (await find()), identity, maySignUp: async () => true })
  }
  const patch = (changes: object) => server.services.connectionAdministration.update(systemActor, { id }, changes)
  const count = () => rows().identity.count({ where: { connectionId: id } })
  const told = () => rows().auditEvent.findMany({ where: { targetId: id, action: 'connection.identities_unlinked' } })
  return { id, find, proven, patch, count, told }
}

test('who another provider calls the same is somebody else', async t => {
  const { proven, patch, count, told } = await make()
  const ada = await proven('ada')
  await proven('joe')
  t.is((await proven('ada')).user.id, ada.user.id)
  await patch({ settings: second, secrets })
  t.is(await count(), 0)
  t.like((await told())[0]?.target, { connector: 'oidc', count: 2 })
  t.not((await proven('ada')).user.id, ada.user.id)
  // And no way back: what was believed of the first is not what its administrator says it is now.
  await patch({ settings: first, secrets })
  t.is(await count(), 0)
})

test('people stay linked while the provider is the same', async t => {
  const { proven, patch, count, told } = await make()
  const ada = await proven('ada')
  for (const settings of [
    { ...first, client_id: 'another' },
    { ...first, scopes: ['openid'] },
    { ...first, issuer: `${first.issuer}/` },
    { ...first, id_token_signed_response_alg: 'ES256' },
  ])
    await patch({ settings })
  await patch({ secrets: { client_secret: 'another secret' }, name: 'Renamed' })
  t.is(await count(), 1)
  t.is((await proven('ada')).user.id, ada.user.id)
  t.deepEqual(await told(), [])
})

test('who was proven by the provider of before is not linked after the change', async t => {
  const { find, proven, patch, count } = await make()
  const before = await find()
  await proven('ada', before)
  await patch({ settings: second, secrets })
  await t.throwsAsync(proven('ada', before), { code: 'connection_gone' })
  await t.throwsAsync(proven('new', before), { code: 'connection_gone' })
  const user = await makeUser(server)
  const actor = { ...visitor(), kind: 'user' as const, id: user.id, userId: user.id }
  const identity = { subject: randomUUID(), isEmailVerified: false, claims: {} }
  await t.throwsAsync(server.services.identities.link(actor, { connection: before, identity, userId: user.id as never }), { code: 'connection_gone' })
  t.is(await count(), 0)
})

test('sign-ins and a change of the provider at the same moment leave nobody of the provider of before', async t => {
  const { find, proven, patch, count } = await make()
  const before = await find()
  const going = Array.from({ length: 8 }, (_, index) =>
    proven(`person ${index}`, before).then(
      () => 'in',
      error => error.code,
    ),
  )
  await Promise.all([...going, patch({ settings: second, secrets })])
  t.deepEqual(
    (await Promise.all(going)).filter(told => told !== 'in' && told !== 'connection_gone'),
    [],
  )
  t.is(await count(), 0)
})

const oidc = { issuer: 'https://id.example', client_id: 'a' }
const github = { client_id: 'a' }
const saml = connectorsOf().get('saml')
const kinds: readonly (readonly [string, string, object, object, boolean])[] = [
  ['another client', 'oidc', oidc, { ...oidc, client_id: 'b' }, true],
  ['another issuer at the same host', 'oidc', oidc, { ...oidc, issuer: 'https://id.example/b' }, false],
  ['another issuer below it', 'oidc', { ...oidc, issuer: 'https://id.example/a' }, { ...oidc, issuer: 'https://id.example/b' }, false],
  ['another port', 'oidc', oidc, { ...oidc, issuer: 'https://id.example:444' }, false],
  ['another GitHub', 'github', github, { ...github, origin: 'https://github.acme.example' }, false],
  ['another GitLab', 'gitlab', github, { ...github, origin: 'https://gitlab.acme.example' }, false],
  ['another domain of Google’s', 'google', github, { ...github, hosted_domain: 'acme.example' }, true],
  ['another tenant, as its people are named with it', 'microsoft', github, { ...github, tenant: 'organizations' }, true],
]

test('a kind knows what its subjects are unique within', t => {
  for (const [title, id, before, after, isSame] of kinds) {
    const kind = connectorsOf().get(id)
    if (!kind) throw new Error(`no connector ${id}`)
    t.is(kind.authorityOf(kind.settings.parse(before)) === kind.authorityOf(kind.settings.parse(after)), isSame, `${id}: ${title}`)
  }
  const of = (settings: object) => saml?.authorityOf({ idp_entity_id: 'https://idp.example', sso_url: 'https://idp.example/sso', attributes: {}, ...settings })
  t.is(of({ sso_url: 'https://other.example/sso' }), of({}))
  t.not(of({ idp_entity_id: 'https://other.example' }), of({}))
  t.not(of({ attributes: { subject: 'uid' } }), of({}))
  t.not(of({ attributes: { subject: 'uid' } }), of({ attributes: { subject: 'mail' } }))
})

/** Two organizations of one domain, the second the owner of now: whom the first one's provider named before. */
const makeFormer = async () => {
  const domain = newDomain()
  const lost = await prove(place, domain)
  const connectionOf = async ({ id: organizationId }: Place, local: string) => {
    const { id } = await makeConnection(server, { local, client_id: 'authy2', client_secret: secrets.client_secret }, { organizationId })
    const found = await server.services.connections.find(id)
    if (!found) throw new Error('there is no such connection')
    return found
  }
  const [former, latter] = [await connectionOf(place, first.issuer), await connectionOf(other, second.issuer)]
  const email = `ceo@${domain}`
  const by = async (connection: typeof former, subject: string) => {
    const identity = { subject, email, isEmailVerified: true, claims: {} }
    return server.services.upstreamSignIn.prove(visitor(), {
      connection,
      identity,
      maySignUp: async () => false,
      clientOrganizationId: connection.organizationId,
    })
  }
  const pass = async () => {
    await place.asOwner(`DELETE ${lost.at}`)
    await prove(other, domain)
  }
  return { domain, former, latter, by, pass }
}

test('a domain that becomes another organization’s takes its people from the former one’s provider, and their accounts begin anew', async t => {
  const { former, latter, by, pass } = await makeFormer()
  const { user, identityId } = await by(former, 'theirs')
  await server.services.signIn.setPassword(systemActor, { id: user.id, password: 'known to the former owner' })
  const session = await rows().session.create({
    data: { userId: user.id, sid: randomUUID(), kind: 'browser', identityId, expiresAt: new Date(Date.now() + 60_000) },
  })
  await pass()
  t.is(await rows().identity.count({ where: { userId: user.id } }), 0)
  t.truthy((await rows().session.findUniqueOrThrow({ where: { id: session.id } })).endedAt)
  const told = await rows().auditEvent.findMany({ where: { action: 'connection.identities_unlinked', targetId: former.id } })
  t.deepEqual(
    told.map(({ organizationId, target }) => [organizationId, (target as { count: number }).count]),
    [[place.id, 1]],
  )
  t.truthy(await rows().auditEvent.findFirst({ where: { action: 'user.updated', targetId: user.id } }))
  t.is((await by(latter, 'ours')).user.id, user.id)
  t.is(await rows().authenticationMethod.count({ where: { userId: user.id, kind: 'password', deletedAt: null } }), 0)
  await t.throwsAsync(by(former, 'theirs'), { code: 'upstream_unlinked' })
  await t.throwsAsync(by(former, 'another'), { code: 'upstream_unlinked' })
})

test('an organization’s provider signs in nobody whose address is of another’s domain, be they linked and a member', async t => {
  const { domain, former, by, pass } = await makeFormer()
  await pass()
  const user = await makeUser(server, { email: `member@${domain}` })
  await server.services.members.add(systemActor, { organizationId: place.id, userId: user.id, role: 'member' })
  await rows().identity.create({ data: { connectionId: former.id, subject: 'member', userId: user.id } })
  await t.throwsAsync(by(former, 'member'), { code: 'upstream_unlinked' })
  const { sid } = await rows().session.create({ data: { userId: user.id, sid: randomUUID(), kind: 'browser', expiresAt: new Date(Date.now() + 60_000) } })
  const actor = { ...visitor(), kind: 'user' as const, id: user.id, userId: user.id, sessionId: sid }
  const identity = { subject: randomUUID(), isEmailVerified: false, claims: {} }
  await t.throwsAsync(server.services.identities.link(actor, { connection: former, identity, userId: user.id as never }), { code: 'connection_gone' })
})

test('an account that the former owner’s provider did not make keeps its proof and its password', async t => {
  const { domain, former, latter, by, pass } = await makeFormer()
  const user = await makeUser(server, { email: `ceo@${domain}`, password: 'the password of the ceo' })
  t.is((await by(former, 'theirs')).user.id, user.id)
  await pass()
  t.is((await by(latter, 'ours')).user.id, user.id)
  t.is(await rows().authenticationMethod.count({ where: { userId: user.id, kind: 'password', deletedAt: null } }), 1)
})

test('a connection is not brought back beyond the hundred that an organization may have', async t => {
  const full = await makeOrganization(api)
  const connectionId = await connect(full)
  t.is((await full.asOwner(`DELETE /connections/${connectionId}`)).status, 200)
  await rows().connection.createMany({ data: Array.from({ length: 100 }, () => ({ organizationId: full.id, connector: 'github', name: 'GitHub' })) })
  t.is((await full.asOwner(`POST /connections/${connectionId}/restore`)).status, 409)
  await rows().connection.deleteMany({ where: { organizationId: full.id, id: { not: connectionId } } })
  t.is((await full.asOwner(`POST /connections/${connectionId}/restore`)).status, 200)
})

test.serial('domains that nobody came to look at are looked at the next time', async t => {
  const due = [await prove(place), await prove(place)]
  for (const { id } of due) await backdate(id, { checked_at: '25 hours' })
  const recheck = createRecheckDomains({
    ...server.services,
    database: server.resources.database,
    now: () => new Date(),
    resolveTxt: async () => {
      throw new Error('the process is killed')
    },
  })
  await t.throwsAsync(recheck(systemActor, 50), { message: 'the process is killed' })
  const ids = due.map(({ id }) => id)
  t.is(await rows().organizationDomain.count({ where: { id: { in: ids }, checkedAt: { lt: new Date(Date.now() - 86_400_000) } } }), 1)
})
