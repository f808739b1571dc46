// Every kind of provider, through the hosted pages and back to a relying party's ID token: those of the settings as the environment says them,
// the others as an administrator sets them.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn } from '../support/sign-in-pages.ts'
import { claimsOf, makeTenant, pressConnection } from '../support/upstream-journeys.ts'
import { startGithub } from '../support/upstreams/github.ts'
import { startGoogle, startMicrosoft, tenantId } from '../support/upstreams/known.ts'
import { startSamlIdp } from '../support/upstreams/saml-idp.ts'
import { startUpstream } from '../support/upstreams/upstream.ts'

const email = () => `${randomUUID()}@people.example`
const oid = randomUUID()

let server: TestServer
let google: Awaited<ReturnType<typeof startGoogle>>
let microsoft: Awaited<ReturnType<typeof startMicrosoft>>
let github: Awaited<ReturnType<typeof startGithub>>
let gitlab: Awaited<ReturnType<typeof startUpstream>>
let oidc: Awaited<ReturnType<typeof startUpstream>>
let saml: Awaited<ReturnType<typeof startSamlIdp>>
test.before(async () => {
  ;[google, microsoft, github] = [await startGoogle(), await startMicrosoft(), await startGithub()]
  ;[gitlab, oidc, saml] = [await startUpstream({ authMethod: 'client_secret_post' }), await startUpstream(), await startSamlIdp()]
  server = await startServer({
    world: [google, microsoft, github],
    settings: {
      ...{ GOOGLE_CLIENT_ID: google.client_id, GOOGLE_CLIENT_SECRET: google.client_secret },
      ...{ MICROSOFT_CLIENT_ID: microsoft.client_id, MICROSOFT_CLIENT_SECRET: microsoft.client_secret },
      ...{ GITHUB_CLIENT_ID: github.client_id, GITHUB_CLIENT_SECRET: github.client_secret },
    },
  })
})
test.after.always(async () => {
  await server?.close()
  for (const started of [google, microsoft, github, gitlab, oidc, saml]) await started?.close()
})

/** Goes to the provider from where the browser was sent, and brings its answer. */
type Answering = (at: URL, person: Person) => Promise<Awaited<ReturnType<Person['get']>>>

interface Row {
  /** The settings of a connection; none for one that the environment makes. */
  readonly made?: () => { readonly settings: Record<string, unknown>; readonly secrets?: Record<string, unknown> }
  readonly answer: Answering
  readonly subject: string
}

const told = { email_verified: true, name: 'Una Stream' }
const bringing =
  (signIn: (at: URL) => Promise<URL>): Answering =>
  async (at, person) =>
    person.get(await signIn(at))

const rows: Readonly<Record<string, Row>> = {
  google: { answer: bringing(at => google.signIn(at, { sub: '1088', claims: { ...told, email: email() } })), subject: '1088' },
  microsoft: {
    answer: bringing(at => microsoft.signIn(at, { claims: { ...told, email: email(), oid, xms_edov: true } })),
    subject: `${tenantId}:${oid}`,
  },
  github: {
    answer: bringing(at => github.signIn(at, { user: { id: 42 }, emails: [{ email: email(), primary: true, verified: true }] })),
    subject: '42',
  },
  gitlab: {
    made: () => ({ settings: { client_id: gitlab.client_id, origin: gitlab.local }, secrets: { client_secret: gitlab.client_secret } }),
    answer: bringing(at => gitlab.signIn(at, { sub: '7', userinfo: { ...told, email: email() } })),
    subject: '7',
  },
  oidc: {
    made: () => ({ settings: { client_id: oidc.client_id, issuer: oidc.local }, secrets: { client_secret: oidc.client_secret } }),
    answer: bringing(at => oidc.signIn(at, { sub: 'una', claims: { ...told, email: email() } })),
    subject: 'una',
  },
  saml: {
    made: () => ({ settings: saml.settings() }),
    answer: async (at, person) => {
      Object.assign(saml.answer, { nameId: 'una', attributes: { email: email() } })
      const { action, body } = await saml.signIn({ redirectUrl: at })
      // The browser posts from another site: our own cookies stay at home.
      const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: saml.url, 'sec-fetch-site': 'cross-site' }
      const received = await createPerson().send(new URL(action), { method: 'POST', body, headers })
      return received.location ? person.get(received.location) : received
    },
    subject: 'una',
  },
}

test('every kind has its row', t => {
  t.deepEqual([...server.services.connectors.keys()].toSorted(), Object.keys(rows).toSorted())
})

const findConnection = async (kind: string, made: Row['made']): Promise<string> => {
  const { connectionAdministration, connections } = server.services
  if (made) {
    const { settings, secrets = {} } = made()
    return (await connectionAdministration.create(systemActor, { connector: kind, name: kind, settings, secrets })).id
  }
  return (await connections.buttonsFor({})).find(({ connector }) => connector === kind)?.id ?? ''
}

for (const [kind, { made, answer, subject }] of Object.entries(rows))
  test(`${kind}: a person signs in by its button, and comes back as the same`, async t => {
    const connection = await findConnection(kind, made)
    const subs: string[] = []
    for (let round = 0; round < 2; round += 1) {
      const { person, page, configuration, checks } = await beginSignIn(server)
      const sent = await pressConnection(person, page, connection)
      const end = await person.follow(await answer(sent.location ?? new URL('about:blank'), person), redirectUri)
      const { sub, amr, acr } = await claimsOf({ configuration, checks, end })
      t.deepEqual([amr, acr], [['fed'], 'urn:authy2:acr:1'])
      subs.push(sub)
    }
    t.is(subs[0], subs[1])
    const identities = await server.resources.database.prisma.identity.findMany({ where: { userId: subs[0] ?? '' } })
    t.deepEqual(
      identities.map(one => [one.connectionId, one.subject]),
      [[connection, subject]],
    )
  })

// Serial: it tells the one provider what to answer.
test.serial('saml: whoever types an address of the organization’s domain is sent to its provider, and is a member afterwards', async t => {
  const tenant = await makeTenant(server)
  const { connectionAdministration } = server.services
  const given = { organizationId: tenant.id, connector: 'saml', name: 'Company login', settings: saml.settings(), secrets: {} }
  await connectionAdministration.create(systemActor, given)
  const { person, page, configuration, checks } = await beginSignIn(server)
  const address = `una@${tenant.domain}`
  const sent = await person.submit(page, { username: address })
  t.is(sent.location?.origin, saml.url)
  Object.assign(saml.answer, { nameId: `una-${tenant.id}`, attributes: { email: address } })
  const { action, body } = await saml.signIn({ redirectUrl: sent.location })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: saml.url, 'sec-fetch-site': 'cross-site' }
  const received = await createPerson().send(new URL(action), { method: 'POST', body, headers })
  const end = await person.follow(received, redirectUri)
  const { sub, amr } = await claimsOf({ configuration, checks, end })
  t.deepEqual(amr, ['fed'])
  const { members } = server.services
  t.true((await members.listOfUser(sub)).some(({ organization }) => organization.id === tenant.id))
})
