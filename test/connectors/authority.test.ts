// Whom the subjects of a connection are told by: where that changes, nobody is taken for the person another provider called the same.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { visitor } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeConnection, somebody } from '../support/upstream-journeys.ts'
import { connectorsOf } from '../support/upstreams/connecting.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

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
