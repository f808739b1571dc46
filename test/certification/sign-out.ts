// How the logout plans send a person to the end-session endpoint, and what they look at afterwards.
import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { TestClient } from '../support/clients.ts'
import type { Answer, Person } from '../support/person.ts'
import type { Suite } from './suite.ts'

export const postLogoutRedirectUri = 'http://localhost:4000/post_logout_redirect'

/** A person who signed in, and the request that a module would send them out with. */
export const signedIn = async (t: ExecutionContext, suite: Suite, client: TestClient) => {
  const { person, answer, claims } = await suite.flow(t, { client })
  // Long, so that whatever cuts it is seen.
  const state = randomBytes(64).toString('hex')
  return { person, claims, idToken: String(answer.id_token), state }
}

/** Sends the browser to the end-session endpoint; on the page that asks it answers yes, for one must be allowed to sign out. */
export const endSession = async (suite: Suite, person: Person, parameters: Readonly<Record<string, string>>) => {
  const shown = await person.follow(await person.get(`${suite.metadata.end_session_endpoint}?${new URLSearchParams(parameters)}`), postLogoutRedirectUri)
  const isAsked = shown.status === 200 && shown.body.includes('name="logout"') && !shown.body.includes('data-automatic')
  const answered = shown.body.includes('name="logout"') ? await person.follow(await person.submit(shown, { logout: 'yes' }), postLogoutRedirectUri) : shown
  return { shown, isAsked, answered }
}

/** Whether an answer leads back to the client. */
export const leadsBack = ({ location }: Answer) => location?.href.startsWith(postLogoutRedirectUri) === true

/** The modules end with `prompt=none`, which must fail where the person was signed out. */
export const isSignedOut = async (t: ExecutionContext, suite: Suite, { person, client }: { person: Person; client: TestClient }) => {
  const { parameters } = await suite.authorize(t, { client, person, parameters: { prompt: 'none' } })
  return ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'].includes(parameters?.get('error') ?? '')
}
