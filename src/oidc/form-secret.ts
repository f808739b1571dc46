// The secret of the forms that the engine shows by itself, to connect a device and to sign out. The engine makes another whenever it shows one, also in
// another tab: here it is kept while it lives, so that no page ends the form of another.
import type { KoaContextWithOIDC, Session } from 'oidc-provider'
import type { ExtendEngine } from './provider.ts'

type State = Session['state']

/** Holds the sessions of the engine to it. */
export const keepFormSecret: ExtendEngine = provider => {
  const find = provider.Session.get.bind(provider.Session)
  const get = async (ctx: KoaContextWithOIDC) => {
    const session = await find(ctx)
    let state: State = session.state
    const set = (next: State) => {
      state = isKept(ctx, { state, next }) ? state : next
    }
    return Object.defineProperty(session, 'state', { configurable: true, enumerable: true, get: () => state, set })
  }
  Object.assign(provider.Session, { get })
}

const ofDevices = new Set(['code_verification', 'device_resume'])

const isKept = ({ oidc }: KoaContextWithOIDC, { state, next }: { state: State; next: State }): boolean => {
  if (state?.secret === undefined || (next !== undefined && Object.keys(next).length > 1)) return false
  // What is typed and confirmed there stands in the form itself; a page of signing out in another tab is still about what it was.
  if (ofDevices.has(oidc?.route)) return true
  return oidc?.route === 'end_session' && next !== undefined && isSameSignOut(oidc, state)
}

// For whom it is, and where it leads, is told by the session and not by the form: another one must not take the first one's form.
const isSameSignOut = ({ client, params }: KoaContextWithOIDC['oidc'], state: NonNullable<State>): boolean =>
  state.clientId === client?.clientId && state.state === params?.state && state.postLogoutRedirectUri === params?.post_logout_redirect_uri

/** Whether a posted form is not of the page that was shown last, or of one of the same. */
export const isStale = ({ method, oidc }: KoaContextWithOIDC): boolean => {
  const { session, params } = oidc ?? {}
  if (method !== 'POST' || !session || !params) return false
  return session.state?.secret === undefined || params.xsrf !== session.state.secret
}
