// What somebody may try who lacks a step of a sign-in: each way answers where it led.
import * as client from 'openid-client'
import { makeClient, type TestClient } from './clients.ts'
import { asksFor, essential, open, tokenFor, twoFactors } from './factor-journeys.ts'
import type { Prepared, Stuck } from './factor-states.ts'
import { createMailWays } from './factor-ways-by-mail.ts'
import { codeOf, wrongCodeOf } from './factors.ts'
import { makePasskeyHolder, optionsOf, sendPasskey } from './passkey-journeys.ts'
import { type Answer, createPerson, type Person } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** A way: what is tried, and where it led. */
export type Way = (stuck: Stuck) => Promise<Answer>

const baseOf = ({ url }: Answer) => url.pathname.split('/').slice(0, 3).join('/')
/** An address of the interaction that a page belongs to. */
export const at = (page: Answer, path: string): URL => new URL(`${baseOf(page)}${path}`, page.url)
const resume = (page: Answer) => new URL(`/oauth2/authorize/${baseOf(page).split('/')[2]}`, page.url)
const reach = (person: Person, address: URL) => person.get(address).then(answer => person.follow(answer, redirectUri))

/** Goes on where an interaction ends. */
export const finish = ({ person, page }: Stuck): Promise<Answer> => reach(person, resume(page))

const send =
  (path: string, values: Record<string, string>): Way =>
  async ({ person, page }) =>
    person.follow(await person.post(at(page, path), { csrf: await tokenFor(person, page, path), ...values }), redirectUri)
const show =
  (path: string): Way =>
  ({ person, page }) =>
    reach(person, at(page, path))

/** A silent request in the same browser. */
export const silently = async ({ person, entrance, parameters }: Stuck, more: Record<string, string> = {}): Promise<Answer> =>
  (await open(person, entrance, { ...parameters, prompt: 'none', ...more })).page

const callApi = ({ person, page }: Stuck, path: string, body: object) =>
  person.send(new URL(`/api/v1${path}`, page.url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const logIn = (stuck: Stuck) => callApi(stuck, '/auth/login', { email: stuck.who.email, password: stuck.who.password })

// By one factor somebody may sign in to the API, but gets nothing there within organizations that require two, as all of theirs do.
const enterByApi: Way = async stuck => {
  const begun = await logIn(stuck)
  const { token } = Object(JSON.parse(begun.body).data)
  if (token === undefined) return begun
  const ask = (path: string) => stuck.person.send(new URL(`/api/v1${path}`, stuck.page.url), { headers: { authorization: `Bearer ${token}` } })
  const { data } = JSON.parse((await ask('/users/me/organizations')).body)
  const inside = await Promise.all(data.map(({ organization }: { organization: { id: string } }) => ask(`/organizations/${organization.id}/members`)))
  const isRefused = inside.length > 0 && inside.every(({ status }) => status === 403)
  return isRefused ? inside[0] : begun
}

/** Whether an answer lets somebody in: a code of the client's, or a token of any kind. */
export const isIn = ({ location, body }: Answer): boolean => location?.searchParams.has('code') === true || /"(access_|id_|refresh_)?token":"/.test(body)

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** Connects a device that asks for both factors; answers what the device is told. */
const connect =
  (television: TestClient): Way =>
  async ({ person, page }) => {
    const { device_code, user_code } = await client.initiateDeviceAuthorization(television.configuration, { scope: 'openid', ...essential(twoFactors) })
    const confirm = await person.submit(await person.get(new URL('/device', page.url)), { user_code })
    if (!confirm.body.includes('name="confirm"')) throw new Error('the code of the device was not taken')
    await person.follow(await person.press(confirm, 'name="confirm"'), redirectUri)
    return person.post(new URL('/oauth2/token', page.url), { grant_type: grantType, device_code, client_id: television.clientId })
  }

/** Makes the ways. */
export async function prepareWays(server: TestServer, { careful, owner }: Prepared): Promise<Readonly<Record<string, Way>>> {
  const thief = await makePasskeyHolder(server)
  const television = await makeClient(server, { authenticationMethod: 'none', grantTypes: [grantType] })
  return {
    'going on at the finishing address': finish,
    'going back to the first page and on': async stuck => {
      for (const path of ['', '/identifier', '/password', '']) await stuck.person.get(at(stuck.page, path))
      return finish(stuck)
    },
    'posting the consent form': send('/consent', { decision: 'allow' }),
    'switching the account and going on': async stuck => {
      await send('/switch', {})(stuck)
      return finish(stuck)
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
    'the answer of somebody else’s passkey': async ({ person, page }) => {
      const { options } = await optionsOf(person, page)
      const answer = options ? thief.authenticator.get(options) : '{}'
      return person.follow(await sendPasskey(person, page, answer), redirectUri)
    },
    'a passkey of somebody else at the first page': async stuck => {
      const csrf = await tokenFor(stuck.person, stuck.page, '/passkey')
      const options = await stuck.person.post(at(stuck.page, '/passkey/options'), { csrf })
      const answer = thief.authenticator.get(JSON.parse(options.body))
      return stuck.person.follow(await sendPasskey(stuck.person, stuck.page, answer), redirectUri)
    },
    'a passkey without its answer': send('/second-factor/passkey', { response: '' }),
    'a form without its token': send('/second-factor', { csrf: 'x', code: '123456' }),
    'a silent request of the same client': stuck => silently(stuck),
    'a silent request of the organization’s client': stuck => silently({ ...stuck, entrance: careful }, essential(twoFactors)),
    'a silent request that asks for less': stuck => silently(stuck, { acr_values: 'urn:authy2:acr:1', max_age: '9999' }),
    'beginning again in another tab': async ({ person, entrance, parameters }) => {
      const { page } = await open(person, entrance, parameters)
      return reach(person, at(page, '/second-factor'))
    },
    'the forms of one interaction in another': async ({ person, page, entrance, parameters }) => {
      const other = await open(person, entrance, parameters)
      return person.follow(await person.post(at(other.page, '/consent'), { csrf: await tokenFor(person, page, '/consent'), decision: 'allow' }), redirectUri)
    },
    'the address in another browser': ({ page }) => reach(createPerson(), page.url),
    'the password once more': async stuck => {
      const { page } = await open(stuck.person, stuck.entrance, { ...stuck.parameters, prompt: 'login' })
      const asked = await stuck.person.follow(await stuck.person.submit(page, { username: stuck.who.email }), redirectUri)
      const next = await stuck.person.follow(await stuck.person.submit(asked, { password: stuck.who.password }), redirectUri)
      if (!['second-factor', 'enrol'].includes(asksFor(next))) throw new Error(`the password led to ${next.status} at ${next.url.pathname}`)
      return finish({ ...stuck, page: next })
    },
    'signing in to the API, and what an organization has there': enterByApi,
    'the ticket of the API with a code of somebody else': async stuck => {
      const { ticket = 'none' } = Object(JSON.parse((await logIn(stuck)).body).data)
      return callApi(stuck, '/auth/mfa', { ticket, factor: 'totp', code: stuck.who.id === owner.id ? '000000' : await owner.code() })
    },
    'connecting a device': connect(television),
    ...createMailWays(server),
  }
}
