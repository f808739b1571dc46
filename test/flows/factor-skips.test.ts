// No way round a factor: every step that may be missing × every way somebody may try to go on without it.
import test from 'ava'
import { makeClient, type TestClient } from '../support/clients.ts'
import { asksFor, enterPassword, essential, go, hiddenOf, makeMember, open, scan, twoFactors } from '../support/factor-journeys.ts'
import { codeOf, enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

type Who = { id: string; email: string; password: string }
/** Somebody in the middle of a sign-in that lacks a step. */
interface Stuck {
  readonly person: Person
  readonly page: Answer
  readonly entrance: TestClient
  readonly parameters: Record<string, string>
}

let server: TestServer
let portal: TestClient
let careful: TestClient
let owner: Who & { code(): Promise<string>; uri: string }
let member: Who
test.before(async () => {
  server = await startServer()
  portal = await makeClient(server)
  const user = await makeUser(server)
  owner = { ...user, ...(await enrolTotp(server, user)) }
  const { user: bare, entrance } = await makeMember(server, { isMfaRequired: true })
  member = bare
  careful = entrance
})
test.after.always(() => server?.close())

/** The missing step, the way to where it is missing, and what the page there asks for. */
const states: Readonly<Record<string, { page: string; reach: () => Promise<Stuck> }>> = {
  'the password': {
    page: 'password',
    reach: async () => {
      const { person, page, ...rest } = await begun(portal)
      return { ...rest, person, page: await go(person, page, { username: owner.email }) }
    },
  },
  'the factor after the password': {
    page: 'second-factor',
    reach: async () => {
      const { person, page, ...rest } = await begun(portal)
      return { ...rest, person, page: await enterPassword(person, page, owner) }
    },
  },
  'the enrolment after the password': {
    page: 'enrol',
    reach: async () => {
      const { person, page, ...rest } = await begun(careful)
      return { ...rest, person, page: await enterPassword(person, page, member) }
    },
  },
  'the recovery codes after the enrolment': {
    page: 'recovery-codes',
    reach: async () => {
      const { user, entrance } = await makeMember(server, { isMfaRequired: true })
      const { person, page, ...rest } = await begun(entrance)
      const enrolment = await enterPassword(person, page, user)
      return { ...rest, person, page: await go(person, enrolment, { code: codeOf(scan(enrolment)) }) }
    },
  },
  'the enrolment of a session with one factor': {
    page: 'enrol',
    reach: async () => {
      const { person } = await portal.signIn({ who: member })
      return begun(careful, essential(twoFactors), person)
    },
  },
  'the step up of a session with one factor': {
    page: 'second-factor',
    reach: async () => {
      const user = await makeUser(server)
      const { person } = await portal.signIn({ who: user })
      await enrolTotp(server, user)
      return begun(portal, essential(twoFactors), person)
    },
  },
}

const begun = async (entrance: TestClient, parameters: Record<string, string> = {}, person = createPerson()): Promise<Stuck> => {
  const { page } = await open(person, entrance, parameters)
  return { person, page, entrance, parameters }
}
const baseOf = ({ url }: Answer) => url.pathname.split('/').slice(0, 3).join('/')
const at = (page: Answer, path: string) => new URL(`${baseOf(page)}${path}`, page.url)
const resume = (page: Answer) => new URL(`/oauth2/authorize/${baseOf(page).split('/')[2]}`, page.url)
const reach = (person: Person, address: URL) => person.get(address).then(answer => person.follow(answer, redirectUri))
const send =
  (path: string, values: Record<string, string>) =>
  async ({ person, page }: Stuck) =>
    person.follow(await person.post(at(page, path), { csrf: hiddenOf(page).csrf ?? '', ...values }), redirectUri)
const show =
  (path: string) =>
  ({ person, page }: Stuck) =>
    reach(person, at(page, path))
const silently = async ({ person, entrance, parameters }: Stuck, more: Record<string, string> = {}) =>
  (await open(person, entrance, { ...parameters, prompt: 'none', ...more })).page

/** What somebody may try. Each answers where it led. */
const ways: Readonly<Record<string, (stuck: Stuck) => Promise<Answer>>> = {
  'going on at the finishing address': ({ person, page }) => reach(person, resume(page)),
  'going back to the first page and on': async ({ person, page }) => {
    for (const path of ['', '/identifier', '/password', '']) await person.get(at(page, path))
    return reach(person, resume(page))
  },
  'posting the consent form': send('/consent', { decision: 'allow' }),
  'switching the account and going on': async stuck => {
    await send('/switch', {})(stuck)
    return reach(stuck.person, resume(stuck.page))
  },
  'asking for the page of the factor': show('/second-factor'),
  'asking for the page of recovery codes to enter': show('/second-factor/recovery-code'),
  'asking for the enrolment': show('/enrol'),
  'asking for new recovery codes': show('/recovery-codes'),
  'saying that the codes are saved': send('/recovery-codes', { saved: '', kept: '' }),
  'a code that is empty': send('/second-factor', { code: '' }),
  'a wrong code': send('/second-factor', { code: wrongCodeOf('JBSWY3DPEHPK3PXP') }),
  'a wrong recovery code': send('/second-factor/recovery-code', { code: 'AAAA-AAAA-AAAA-AAAA' }),
  'a code of another seed to the enrolment': send('/enrol', { code: codeOf('JBSWY3DPEHPK3PXP') }),
  'a form without its token': send('/second-factor', { csrf: 'x', code: '123456' }),
  'a silent request of the same client': stuck => silently(stuck),
  'a silent request of the organization’s client': stuck => silently({ ...stuck, entrance: careful }, essential(twoFactors)),
  'a silent request that asks for less': stuck => silently({ ...stuck, parameters: stuck.parameters }, { acr_values: 'urn:authy2:acr:1', max_age: '9999' }),
  'beginning again in another tab': async ({ person, entrance, parameters }) => {
    const { page } = await open(person, entrance, parameters)
    return reach(person, at(page, '/second-factor'))
  },
  'the forms of one interaction in another': async ({ person, page, entrance, parameters }) => {
    const other = await open(person, entrance, parameters)
    return person.follow(await person.post(at(other.page, '/consent'), { csrf: hiddenOf(page).csrf ?? '', decision: 'allow' }), redirectUri)
  },
  'the address in another browser': ({ page }) => reach(createPerson(), page.url),
}

const isIn = (answer: Answer) => answer.location?.searchParams.has('code') === true

for (const [name, { page: expected, reach: arrive }] of Object.entries(states))
  test.serial(`nobody goes on without ${name}`, async t => {
    await server.resources.database.pool.query('DELETE FROM rate_limits')
    let cells = 0
    for (const [way, attempt] of Object.entries(ways)) {
      const stuck = await arrive()
      t.is(asksFor(stuck.page), expected, way)
      const answer = await attempt(stuck)
      t.false(isIn(answer), `${way} without ${name}`)
      t.true(answer.status < 500, way)
      // Whatever it was, it left no session that is worth more than before.
      t.false(isIn(await silently(stuck)), `a silent request after ${way} without ${name}`)
      const api = await fetch(`${server.issuer}/api/v1/auth/me`, {
        headers: { 'sec-fetch-site': 'same-origin', cookie: [...stuck.person.cookies.values()].map(cookie => `${cookie.name}=${cookie.value}`).join('; ') },
      })
      if (!name.includes('session')) t.is(api.status, 401, `the API after ${way} without ${name}`)
      cells += 1
    }
    t.log(`${cells} ways without ${name}`)
  })

test('the matrix is whole', t => {
  const cells = Object.keys(states).length * Object.keys(ways).length
  t.log(`${cells} cells: ${Object.keys(states).length} missing steps × ${Object.keys(ways).length} ways`)
  t.is(cells, 120)
})
