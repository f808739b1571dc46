// Consent for each organization apart: remembered there alone, shown whole when asked again, listed and taken back by itself.
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { makeMember } from '../support/organizations.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const isConsent = (answer: Answer) => answer.body.includes('name="decision"')
const visit = async ({ request }: TestClient, { person, parameters = {} }: { person: Person; parameters?: Record<string, string> }) => {
  const made = await request(parameters)
  return { ...made, answer: await person.follow(await person.get(made.url), redirectUri) }
}
type Visit = Awaited<ReturnType<typeof visit>>
const errorOf = ({ answer }: Visit) => answer.location?.searchParams.get('error')
const allow = async (relyingParty: TestClient, { person, asked }: { person: Person; asked: Visit }) => {
  const answer = isConsent(asked.answer) ? await person.follow(await person.submit(asked.answer, { decision: 'allow' }), redirectUri) : asked.answer
  return client.authorizationCodeGrant(relyingParty.configuration, answer.location as URL, asked.checks)
}
/** A member of two at a client that is asked for consent, signed in elsewhere. */
const begin = async (count = 2) => {
  const shop = await makeClient(server, { isFirstParty: false, name: 'The shop' })
  const who = await makeMember(server, count)
  const { person } = await (await makeClient(server)).signIn({ who, parameters: { scope: 'openid' } })
  const [first = { id: '', slug: '' }, second = { id: '', slug: '' }] = who.organizations
  return { shop, who, person, first, second }
}

test('consent given in one organization is none in another, nor without one, and each is remembered in every browser', async t => {
  const { shop, who, person, first, second } = await begin()
  const asked = await visit(shop, { person, parameters: { organization: first.id } })
  t.true(isConsent(asked.answer))
  t.regex(asked.answer.body, /This is for/)
  t.is((await allow(shop, { person, asked })).claims()?.org_id, first.id)
  t.is(errorOf(await visit(shop, { person, parameters: { organization: second.id, prompt: 'none' } })), 'consent_required')
  t.is(errorOf(await visit(shop, { person, parameters: { prompt: 'none' } })), 'consent_required')
  const again = await visit(shop, { person, parameters: { organization: first.id, prompt: 'none' } })
  t.is((await allow(shop, { person, asked: again })).claims()?.org_id, first.id)

  const elsewhere = createPerson()
  await (await makeClient(server)).signIn({ who, person: elsewhere, parameters: { scope: 'openid' } })
  t.false(isConsent((await visit(shop, { person: elsewhere, parameters: { organization: first.id } })).answer))
  t.true(isConsent((await visit(shop, { person: elsewhere, parameters: { organization: second.id } })).answer))
})

test('the person chooses, then consents to the chosen one, whatever is chosen elsewhere in the meantime', async t => {
  const { shop, person, first, second } = await begin()
  const parameters = { scope: 'openid organization' }
  const one = await visit(shop, { person, parameters })
  const other = await visit(shop, { person, parameters })
  const oneConsent = await person.follow(await person.submit(one.answer, { organization: first.id }), redirectUri)
  const otherConsent = await person.follow(await person.submit(other.answer, { organization: second.id }), redirectUri)
  t.true(isConsent(oneConsent) && isConsent(otherConsent))
  t.is((await allow(shop, { person, asked: { ...one, answer: oneConsent } })).claims()?.org_id, first.id)
  t.is((await allow(shop, { person, asked: { ...other, answer: otherConsent } })).claims()?.org_id, second.id)
})

test('twenty consents of one session for two organizations, given at once, all give living tokens of their own', async t => {
  const { shop, person, first, second } = await begin()
  const asked: { organization: string; asked: Visit }[] = []
  for (let index = 0; index < 20; index += 1) {
    const organization = index % 2 === 0 ? first.id : second.id
    asked.push({ organization, asked: await visit(shop, { person, parameters: { organization } }) })
  }
  const decided = await Promise.all(asked.map(async one => ({ ...one, decided: await person.submit(one.asked.answer, { decision: 'allow' }) })))
  const given: { organization: string; tokens: Awaited<ReturnType<typeof allow>> }[] = []
  // One after the other: a browser has one session cookie, which each return renews.
  for (const { organization, asked, decided: answer } of decided) {
    const back = await person.follow(answer, redirectUri)
    given.push({ organization, tokens: await allow(shop, { person, asked: { ...asked, answer: back } }) })
  }
  for (const { organization, tokens } of given) {
    t.is(tokens.claims()?.org_id, organization)
    t.is((await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')).claims()?.org_id, organization)
  }
})

test('prompt=consent asks again and shows everything asked, also what is granted already', async t => {
  const { shop, person } = await begin()
  await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email' } }) })
  const more = await visit(shop, { person, parameters: { scope: 'openid email organizations' } })
  t.notRegex(more.answer.body, /See your email address/)
  t.regex(more.answer.body, /See your organizations/)
  const again = await visit(shop, { person, parameters: { scope: 'openid email organizations', prompt: 'consent' } })
  for (const shown of [/See your email address/, /Know who you are/, /See your organizations/]) t.regex(again.answer.body, shown)
})

test('a token carries the scopes of its own request, however much was granted before, and so does what is refreshed', async t => {
  const { shop, person } = await begin()
  await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email profile organizations' } }) })
  const tokens = await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email' } }) })
  t.is(tokens.scope, 'openid email')
  const userinfo = await client.fetchUserInfo(shop.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.deepEqual(Object.keys(userinfo).sort(), ['email', 'email_verified', 'sub'])
  const refreshed = await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')
  t.is(refreshed.scope, 'openid email')
  t.is(await refusal(client.refreshTokenGrant(shop.configuration, refreshed.refresh_token ?? '', { scope: 'openid profile' })), 'invalid_scope')
})

test('what the person denies for one organization stays denied there and changes nothing in another', async t => {
  const { shop, person, first, second } = await begin()
  const tokens = await allow(shop, { person, asked: await visit(shop, { person, parameters: { organization: first.id } }) })
  const asked = await visit(shop, { person, parameters: { organization: second.id } })
  const denied = await person.follow(await person.submit(asked.answer, { decision: 'deny' }), redirectUri)
  t.is(denied.location?.searchParams.get('error'), 'access_denied')
  t.is(errorOf(await visit(shop, { person, parameters: { organization: second.id, prompt: 'none' } })), 'consent_required')
  t.is((await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')).claims()?.org_id, first.id)
})

test('the account centre tells the organization of each consent, and takes it back by itself', async t => {
  const { shop, who, person, first } = await begin(1)
  const inFirst = await allow(shop, { person, asked: await visit(shop, { person, parameters: { organization: first.id } }) })
  const inNone = await allow(shop, { person, asked: await visit(shop, { person }) })
  const page = await person.follow(await person.get(`${server.issuer}/account/apps`), 'none:')
  t.regex(page.body, /for <bdi>Works/)
  const listed = await server.services.consents.list(who.id)
  const ofShop = listed.filter(({ clientId }) => clientId === shop.clientId)
  t.deepEqual(ofShop.map(({ organization }) => organization?.id ?? null).sort(), [first.id, null].sort())
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(page.body) ?? []
  await person.post(page.url, { csrf, client: shop.clientId, organization: first.id })
  t.is(await refusal(client.refreshTokenGrant(shop.configuration, inFirst.refresh_token ?? '')), 'invalid_grant')
  t.truthy((await client.refreshTokenGrant(shop.configuration, inNone.refresh_token ?? '')).access_token)
  t.is(errorOf(await visit(shop, { person, parameters: { organization: first.id, prompt: 'none' } })), 'consent_required')
  t.truthy((await visit(shop, { person, parameters: { prompt: 'none' } })).answer.location?.searchParams.get('code'))
})
