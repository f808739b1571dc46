// How a person without JavaScript comes to the pages beside the password, in an authorization of the demo client.
import { createPerson, type Person } from './person.ts'
import { createRelyingParty, redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** Begins an authorization; answers the first page and what the client needs to finish. */
export async function beginSignIn(
  server: Pick<TestServer, 'issuer'>,
  { person = createPerson(), parameters = {} }: { person?: Person; parameters?: Record<string, string> } = {},
) {
  const { configuration, request } = await createRelyingParty(server.issuer)
  const asked = await request(parameters)
  const page = await person.follow(await person.get(asked.url), redirectUri)
  return { person, configuration, checks: asked.checks, page }
}

/** Types the address; answers the password page. */
export async function toPassword(server: Pick<TestServer, 'issuer'>, email: string, person?: Person) {
  const begun = await beginSignIn(server, { person })
  return { ...begun, page: await begun.person.follow(await begun.person.submit(begun.page, { username: email }), redirectUri) }
}

/** Opens a page of the interaction beside the one that is shown. */
export const beside = (url: URL, path: string): URL => new URL(`${url.pathname.split('/').slice(0, 3).join('/')}/${path}`, url)

/** Asks for a code by mail; answers the page that takes it. */
export async function toCode(server: Pick<TestServer, 'issuer'>, email: string, person?: Person) {
  const begun = await toPassword(server, email, person)
  return { ...begun, page: await begun.person.follow(await begun.person.press(begun.page, '/email-code'), redirectUri) }
}

/** Fills in the sign-up page; answers the page that takes the code. */
export async function toSignUpCode(
  server: Pick<TestServer, 'issuer'>,
  { email, password, name = 'Ida Example' }: { email: string; password: string; name?: string },
  person?: Person,
) {
  const begun = await beginSignIn(server, { person })
  const form = await begun.person.get(beside(begun.page.url, 'sign-up'))
  return { ...begun, form, page: await begun.person.follow(await begun.person.submit(form, { email, name, password }), redirectUri) }
}
