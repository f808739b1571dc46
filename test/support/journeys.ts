/** How a person in an empty browser reaches each page of the real server. */
import * as client from 'openid-client'
import type { Page } from 'playwright-core'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from './clients.ts'
import { essential, twoFactors } from './factor-journeys.ts'
import { codeOf, enrolTotp, wrongCodeOf } from './factors.ts'
import { bob } from './relying-party.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** A page, known by its title, and the way to it. */
export interface Journey {
  readonly name: string
  readonly title: string
  readonly status: number
  reach(page: Page, server: TestServer): Promise<void>
}

/** Types the email address and goes on to the password. */
export async function identify(page: Page, email = bob.email): Promise<void> {
  await page.locator('#username').fill(email)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('#password').waitFor()
}

/** Goes through the two pages of a sign-in. */
export async function signIn(page: Page, { email, password } = bob): Promise<void> {
  await identify(page, email)
  await page.locator('#password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const go = (path: string) => async (page: Page, server: TestServer) => {
  await page.goto(server.issuer + path)
}

const toIdentifier = async (page: Page, server: TestServer, parameters: Record<string, string> = {}) => {
  const portal = await makeClient(server, { name: 'Portal' })
  await page.goto((await portal.request(parameters)).url.href)
}

const toPassword = async (page: Page, server: TestServer) => {
  await toIdentifier(page, server)
  await identify(page)
}

const toWrongPassword = async (page: Page, server: TestServer) => {
  await toIdentifier(page, server)
  await signIn(page, { ...bob, password: 'not the password' })
  await page.getByRole('alert').waitFor()
}

/** Goes as far as the page that asks for the code; answers the app that shows it. */
export async function toSecondFactor(page: Page, server: TestServer) {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  await toIdentifier(page, server)
  await signIn(page, user)
  await page.locator('#code').waitFor()
  return { ...factor, user }
}

const toWrongSecondFactor = async (page: Page, server: TestServer) => {
  const { uri } = await toSecondFactor(page, server)
  await page.locator('#code').fill(wrongCodeOf(uri))
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('alert').waitFor()
}

const toRecoveryCode = async (page: Page, server: TestServer) => {
  const { user } = await toSecondFactor(page, server)
  await server.services.recoveryCodes.issue(systemActor, user.id)
  await page.reload()
  await page.getByRole('link', { name: 'Use a recovery code' }).click()
  await page.getByRole('heading', { name: 'Use a recovery code' }).waitFor()
}

/** Goes as far as the page that sets up an authenticator app. */
export async function toEnrolment(page: Page, server: TestServer) {
  const user = await makeUser(server)
  await toIdentifier(page, server, essential(twoFactors))
  await signIn(page, user)
  await page.locator('.qr').waitFor()
  return { user }
}

const toRecoveryCodes = async (page: Page, server: TestServer) => {
  await toEnrolment(page, server)
  await page.locator('#code').fill(codeOf((await page.locator('#key').textContent()) ?? ''))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.locator('#codes').waitFor()
}

const toConsent = async (page: Page, server: TestServer) => {
  const metadata = { policy_uri: 'https://papertrail.example/privacy', tos_uri: 'https://papertrail.example/terms' }
  const stranger = await makeClient(server, { name: 'Papertrail', isFirstParty: false, metadata })
  const { url } = await stranger.request({ scope: 'openid profile email organizations offline_access', prompt: 'consent' })
  await page.goto(url.href)
  await signIn(page)
  await page.getByRole('button', { name: 'Allow' }).waitFor()
}

const toOrganizations = async (page: Page, server: TestServer) => {
  const { url } = await (await makeClient(server, { name: 'Papertrail' })).request({ scope: 'openid organization' })
  await page.goto(url.href)
  await signIn(page)
  await page.getByRole('button', { name: 'Globex' }).waitFor()
}

const enterCode = async (page: Page, code: string) => {
  await page.locator('#user_code').fill(code)
  await page.getByRole('button', { name: 'Continue' }).click()
}

const toWrongCode = async (page: Page, server: TestServer) => {
  await go('/device')(page, server)
  await enterCode(page, 'BCDF-GHJK')
  await page.getByRole('alert').waitFor()
}

const toDeviceConfirm = async (page: Page, server: TestServer) => {
  const grantTypes = ['urn:ietf:params:oauth:grant-type:device_code']
  const television = await makeClient(server, { name: 'Television', authenticationMethod: 'none', grantTypes })
  const { user_code } = await client.initiateDeviceAuthorization(television.configuration, { scope: 'openid' })
  await go('/device')(page, server)
  await enterCode(page, user_code)
  await page.getByRole('button', { name: 'Not my device' }).waitFor()
}

const toDeviceDone = async (page: Page, server: TestServer) => {
  await toDeviceConfirm(page, server)
  await page.getByRole('button', { name: 'Continue' }).click()
  await signIn(page)
  await page.getByRole('heading', { name: 'Your device is connected' }).waitFor()
}

const toSignOut = async (page: Page, server: TestServer) => {
  await toDeviceDone(page, server)
  await go('/oauth2/logout')(page, server)
}

const toSignedOut = async (page: Page, server: TestServer) => {
  await toSignOut(page, server)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
}

const toError = (page: Page, server: TestServer) => toIdentifier(page, server, { redirect_uri: 'https://elsewhere.example/' })

const ignoring = (reach: (page: Page, server: TestServer) => Promise<unknown>) => async (page: Page, server: TestServer) => {
  await reach(page, server)
}

/** Every page that the server shows today. */
export const JOURNEYS: readonly Journey[] = [
  { name: 'the identifier page', title: 'Sign in', status: 200, reach: toIdentifier },
  { name: 'the password page', title: 'Enter your password', status: 200, reach: toPassword },
  { name: 'the page of a wrong password', title: 'Error: Enter your password', status: 401, reach: toWrongPassword },
  { name: 'the page of the second factor', title: 'Confirm it is you', status: 200, reach: ignoring(toSecondFactor) },
  { name: 'the page of a wrong second factor', title: 'Error: Confirm it is you', status: 401, reach: toWrongSecondFactor },
  { name: 'the page of a recovery code', title: 'Confirm it is you', status: 200, reach: toRecoveryCode },
  { name: 'the page that sets up an app', title: 'Set up your authenticator app', status: 200, reach: ignoring(toEnrolment) },
  { name: 'the page of new recovery codes', title: 'Save your recovery codes', status: 200, reach: toRecoveryCodes },
  { name: 'the consent page', title: 'Allow access', status: 200, reach: toConsent },
  { name: 'the page that asks for an organization', title: 'Choose an organization', status: 200, reach: toOrganizations },
  { name: 'the device code page', title: 'Connect a device', status: 200, reach: go('/device') },
  { name: 'the page of a wrong device code', title: 'Error: Connect a device', status: 200, reach: toWrongCode },
  { name: 'the device confirmation page', title: 'Confirm your device', status: 200, reach: toDeviceConfirm },
  { name: 'the page of a connected device', title: 'Device connected', status: 200, reach: toDeviceDone },
  { name: 'the sign-out page', title: 'Sign out', status: 200, reach: toSignOut },
  { name: 'the signed-out page', title: 'Signed out', status: 200, reach: toSignedOut },
  { name: 'the error page', title: 'Something went wrong', status: 400, reach: toError },
  { name: 'the page of an expired sign-in', title: 'Sign-in expired', status: 404, reach: go('/interaction/gone') },
  { name: 'the page of an unknown address', title: 'Page not found', status: 404, reach: go('/nowhere') },
]
