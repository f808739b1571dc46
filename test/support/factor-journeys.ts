// How a person goes through the sign-in of a client whose pages ask for a second factor, step by step.
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, type TestClient } from './clients.ts'
import type { Answer, Person } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** The classes. */
export const [oneFactor, twoFactors] = ['urn:authy2:acr:1', 'urn:authy2:acr:2'] as const

/** Asks for one of these classes, or an error. */
export const essential = (...values: string[]): Record<string, string> => ({ claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }) })

/** Begins an authorization; answers where the person is then, and what redeems the code. */
export async function open(person: Person, relyingParty: TestClient, parameters: Record<string, string> = {}) {
  const made = await relyingParty.request(parameters)
  const page = await person.follow(await person.get(made.url), redirectUri)
  const redeem = (back: Answer) => client.authorizationCodeGrant(relyingParty.configuration, back.location as URL, made.checks)
  return { ...made, page, redeem, claims: async (back: Answer) => (await redeem(back)).claims() }
}

/** The error that the client is told. */
export const errorOf = ({ location }: Answer) => location?.searchParams.get('error')

/** What a page asks for. */
export function asksFor({ body, url }: Answer): string {
  if (body.includes('name="password"')) return 'password'
  return body.includes('name="username"') ? 'identifier' : url.pathname.split('/').slice(3).join('/') || 'start'
}

/** Sends a page's form and follows where it leads. */
export const go = async (person: Person, page: Answer, values: Record<string, string>) => person.follow(await person.submit(page, values), redirectUri)

/** Goes through the first two pages. */
export const enterPassword = async (person: Person, page: Answer, { email, password }: { email: string; password: string }) =>
  go(person, await go(person, page, { username: email }), { password })

/** Ticks the box of the recovery codes. */
export const saveCodes = async (person: Person, page: Answer) => person.follow(await person.post(page.url, { ...hiddenOf(page), saved: 'yes' }), redirectUri)

/** What the hidden fields of a page's own form say, its first; those to leave by, and the choice of the language in the footer, are others. */
export const hiddenOf = ({ body }: Answer): Record<string, string> =>
  Object.fromEntries(
    [...(body.split('<footer')[0] ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
      .toReversed()
      .map(([, name = '', value = '']) => [name, value]),
  )

// Forms that act for nobody in particular.
const ofNobody = /^\/(identifier|connection|passkey|sign-up|consent|organization|switch|cancel)\b/

/** The token for a form at a path of an interaction: where it acts for somebody that of the page, which names them; else that of the first page. */
export const tokenFor = async (person: Person, page: Answer, path: string): Promise<string> => {
  const first = () => person.get(new URL(`${page.url.pathname.split('/').slice(0, 3).join('/')}/identifier`, page.url))
  return hiddenOf(ofNobody.test(path) ? await first() : page).csrf ?? ''
}

/** The `otpauth:` address behind the code that the page shows. */
export const scan = ({ body }: Answer): string => (/href="(otpauth:[^"]+)"/.exec(body)?.[1] ?? '').replaceAll('&amp;', '&')

/** The recovery codes on a page. */
export const codesOn = ({ body }: Answer): string[] => [...body.matchAll(/<li><code>([^<]+)</g)].map(([, code = '']) => code)

/** Makes a member of an organization, and a client of it. */
export async function makeMember(server: TestServer, settings: { isMfaRequired: boolean }) {
  const user = await makeUser(server)
  const organization = await server.services.organizations.create(systemActor, { name: 'Careful', ownerId: user.id })
  await server.services.organizations.update(systemActor, organization.id, settings)
  return { user, organization, entrance: await makeClient(server, { organizationId: organization.id }) }
}
