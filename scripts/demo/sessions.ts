// Keeps the demo's browser sessions in memory, found by an unguessable cookie value.
import { type IDToken, randomState } from 'openid-client'

/** A sign-in that was sent to the issuer and has not come back. */
export interface PendingSignIn {
  readonly codeVerifier: string
  readonly nonce: string
}

/** What the issuer gave for a signed-in user. */
export interface SignedIn {
  readonly claims: IDToken
  readonly idToken: string
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly scope: string | undefined
  readonly accessTokenExpiresAt: Date | undefined
  readonly userinfo: Readonly<Record<string, unknown>> | undefined
}

export interface Session {
  readonly id: string
  readonly csrf: string
  /** By state; several tabs may be signing in at once. */
  readonly pending: Map<string, PendingSignIn>
  signedIn: SignedIn | undefined
  /** Told once, on the next page. */
  notice: string | undefined
}

export type Sessions = ReturnType<typeof createSessions>

/** A store of at most `limit` sessions; the oldest gives way. */
export function createSessions(limit = 1000) {
  const sessions = new Map<string, Session>()

  const create = (): Session => {
    const session: Session = { id: randomState(), csrf: randomState(), pending: new Map(), signedIn: undefined, notice: undefined }
    sessions.set(session.id, session)
    trim(sessions, limit)
    return session
  }
  const find = (id: string | undefined): Session | undefined => (id === undefined ? undefined : sessions.get(id))
  const end = (session: Session): void => {
    sessions.delete(session.id)
  }
  return { create, find, end }
}

/** Remembers a sign-in by its state; the oldest of more than five is forgotten. */
export function rememberSignIn(session: Session, state: string, signIn: PendingSignIn): void {
  session.pending.set(state, signIn)
  trim(session.pending, 5)
}

function trim(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return
    map.delete(key)
  }
}
