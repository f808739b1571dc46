// Many people at once, each from an address of their own: what they ask of the API, and the forms they send.
import { randomInt, randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import type { Calls, Reply } from './calls.ts'
import { hiddenOf } from './factor-journeys.ts'
import { byCodeBefore } from './factors.ts'
import { type Answer, createPerson, type Person } from './person.ts'
import { together } from './race.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** Where they are: a server behind one proxy (TRUST_PROXY=1), or several. */
export interface Crowd extends Pick<TestServer, 'issuer' | 'services' | 'mailsTo'> {
  readonly calls: Calls
}

/** The password of everybody. */
export const password = 'a long enough password'

/** An address that nobody has. */
export const somewhere = () => ({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` })

/** An empty browser at an address of its own. */
export const visitor = (): Person => createPerson(somewhere())

/** Somebody who is no user yet. */
export const newcomer = () => ({ email: `${randomUUID()}@people.example`, password })

/** Asks the API, from anywhere unless told. */
export const ask = ({ calls }: Crowd, path: string, { body, token, from = somewhere() }: { body: object; token?: string; from?: Record<string, string> }) =>
  calls.call(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...from, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })

/** What the envelope of an answer holds. */
export const dataOf = ({ json }: Reply) => Object(json.data)

/** The token of a page's forms. */
export const csrfOf = (page: Answer) => ({ csrf: hiddenOf(page).csrf ?? '' })

/** The form of a page, from one browser many times at once, by turns to all processes. */
export const rush = ({ calls }: Crowd, { person, url, form, tries }: { person: Person; url: URL; form: Record<string, string>; tries: number }) => {
  const cookie = [...person.cookies.values()].filter(({ path }) => url.pathname.startsWith(path)).map(({ name, value }) => `${name}=${value}`)
  return together(tries, () => calls.post(url.pathname, form, { cookie: cookie.join('; '), origin: url.origin, ...somewhere() }))
}

/** How many answers there were of each status. */
export const tallyOf = (replies: readonly Reply[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Somebody with an authenticator app, and as many tickets of half a sign-in as are asked for. */
export const withApp = async (crowd: Crowd, tickets: number) => {
  const made = await makeUser(crowd, { password })
  const user = await crowd.services.users.find(made.id)
  if (!user) throw new Error('not made')
  const { id, uri } = await crowd.services.totps.enrol(systemActor, { user })
  await byCodeBefore(uri, code => crowd.services.totps.confirm(systemActor, { user, id, code }))
  const asked = await together(tickets, () => ask(crowd, '/auth/login', { body: { email: made.email, password } }))
  return { user, uri, tickets: asked.map(reply => String(dataOf(reply).ticket)) }
}
