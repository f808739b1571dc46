// The session of the hosted pages as other entrances need it: whose it is and since when, by its signed cookie. One that is good for a single
// organization is none there: what is a person's own is not that organization's.
import { sessionCookieName } from '../platform/http/session-cookie.ts'
import type { FindBrowserSession } from '../sessions/session.ts'
import type { Engine } from './provider.ts'

/** Makes the look-up; the cookie's signature is checked by the app's own keys. */
export const createFindBrowserSession = ({ engine, isSecure }: { engine: Engine; isSecure: boolean }): FindBrowserSession => {
  const name = sessionCookieName(isSecure)
  return async ctx => {
    const id = ctx.cookies.get(name, { signed: true })
    const session = id ? await engine.current().Session.find(id) : undefined
    return session?.accountId && session.uid && session.confinedTo === undefined
      ? { sid: session.uid, userId: session.accountId, authenticatedAt: new Date((session.loginTs ?? 0) * 1000), amr: session.amr ?? [] }
      : undefined
  }
}
