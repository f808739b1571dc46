// How somebody signs in by another provider: connections of a test's own, and the way through the pages and back.
import { randomUUID } from 'node:crypto'
import * as client from 'openid-client'
import { sealContext } from '../../src/connectors/configured.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { hiddenOf } from './factor-journeys.ts'
import type { Answer, Person } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'
import { beginSignIn, beside } from './sign-in-pages.ts'
import type { Upstream, UpstreamPerson } from './upstreams/upstream.ts'

/** Makes a connection to an upstream, of the system unless told otherwise. */
export async function makeConnection(
  { resources: { database, secrets } }: TestServer,
  { local, client_id, client_secret }: Pick<Upstream, 'local' | 'client_id' | 'client_secret'>,
  given: {
    organizationId?: string
    trustsEmails?: boolean
    createsUsers?: boolean
    membership?: object
    connector?: string
    settings?: object
    name?: string
  } = {},
) {
  const id = randomUUID()
  const { settings = { issuer: local, client_id }, ...rest } = given
  await database.prisma.connection.create({
    data: {
      id,
      connector: 'oidc',
      name: `Upstream ${id.slice(0, 8)}`,
      ...rest,
      settings,
      secrets: secrets.seal('connection', JSON.stringify({ client_secret }), sealContext(id)),
    },
  })
  return { id }
}

/** Makes an organization with a domain that it proved. */
export async function makeTenant(
  { services, resources: { database } }: TestServer,
  { isProven = true, connectionId }: { isProven?: boolean; connectionId?: string } = {},
) {
  const { id } = await services.organizations.create(systemActor, { name: `Tenant ${randomUUID()}` })
  const domain = `${randomUUID()}.example`
  const proveDomain = (connection?: string) =>
    database.prisma.organizationDomain.create({
      data: { organizationId: id, domain, token: randomUUID(), connectionId: connection ?? null, verifiedAt: isProven ? new Date() : null },
    })
  if (connectionId === undefined) await proveDomain()
  return { id, domain, proveDomain }
}

/** Presses the button of a connection; answers where the browser is sent. */
export const pressConnection = (person: Person, page: Answer, connection: string): Promise<Answer> =>
  person.post(beside(page.url, 'connection'), { csrf: hiddenOf(page).csrf ?? '', connection })

/** Goes to the upstream from an authorization of the demo client, and signs in there; answers the callback, which was not opened yet. */
export async function toCallback(
  server: TestServer,
  {
    upstream,
    connection,
    who,
    ...options
  }: { upstream: Pick<Upstream, 'signIn'>; connection: string; who: UpstreamPerson; person?: Person; parameters?: Record<string, string> },
) {
  const begun = await beginSignIn(server, options)
  const sent = await pressConnection(begun.person, begun.page, connection)
  if (!sent.location) throw new Error(`the button led nowhere: ${sent.status} ${sent.body.slice(0, 600)}`)
  return { ...begun, callback: await upstream.signIn(sent.location, who) }
}

/** Signs in by an upstream; answers where the browser ends: at the client, or on a page. */
export async function signInBy(server: TestServer, given: Parameters<typeof toCallback>[1]) {
  const begun = await toCallback(server, given)
  const end = await begun.person.follow(await begun.person.get(begun.callback), redirectUri)
  return { ...begun, end }
}

/** The claims of the ID token that a finished sign-in ends in. Throws where it ended on a page. */
export async function claimsOf({ configuration, checks, end }: Pick<Awaited<ReturnType<typeof signInBy>>, 'configuration' | 'checks' | 'end'>) {
  if (!end.location) throw new Error(`it ended on a page: ${end.status} ${alertOf(end)}`)
  const tokens = await client.authorizationCodeGrant(configuration, end.location, checks)
  return tokens.claims() as client.IDToken
}

/** What the page says is wrong. */
export const alertOf = ({ body }: Answer): string => /role="alert"[^>]*>.*?<p>(.*?)<\/p>/s.exec(body)?.[1] ?? /class="lede">(.*?)</s.exec(body)?.[1] ?? ''

/** Somebody whom the upstream names, with a verified address. */
export const somebody = (claims: Readonly<Record<string, unknown>> = {}): UpstreamPerson & { sub: string; email: string } => {
  const sub = randomUUID()
  const email = String(claims.email ?? `${sub}@people.example`)
  return { sub, email, claims: { email, email_verified: true, name: 'Una Stream', ...claims } }
}
