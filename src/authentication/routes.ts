// The operations of signing up, in and out.
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, words } from '../platform/http/text.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import { sessionOutput, toSessionOutput } from '../sessions/session.ts'
import { toUserOutput, userOutput } from '../users/user.ts'
import type { SignIn } from './sign-in.ts'
import type { SignUp } from './sign-up.ts'

interface Needs {
  readonly signIn: SignIn
  readonly signUp: SignUp
  readonly apiSessions: ApiSessions
  readonly now: () => Date
}

// Longer than any password that is taken, in UTF-16 units: what is too long is told with the other faults of strength.
const password = text(2048)
const email = text(320).trim().min(1)

/** Makes the routes. */
export const createAuthRoutes = ({ signIn, signUp, apiSessions, now }: Needs): readonly Route[] => [
  route({
    method: 'POST',
    path: '/auth/register',
    summary: 'Makes a user with a password.',
    body: z.strictObject({ email, password, full_name: words(200) }),
    output: userOutput,
    status: 201,
    handle: async ({ actor, body }) => {
      const user = await signUp.register(actor, { email: body.email, password: body.password, name: body.full_name })
      return { data: toUserOutput(user), version: user.updatedAt }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/login',
    summary: 'Proves a person and begins a session; its token is told only here.',
    body: z.strictObject({ email, password: password.min(1) }),
    output: z.object({ token: z.string(), session: sessionOutput, user: userOutput }),
    handle: async ({ actor, body }) => {
      const since = now()
      const { user, amr } = await signIn.prove(actor, { identifier: body.email, password: body.password })
      const { session, token } = await apiSessions.begin({ ...actor, kind: 'user', id: user.id, userId: user.id }, { userId: user.id, amr, since })
      return { data: { token, session: toSessionOutput(session, session.sid), user: toUserOutput(user) } }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/logout',
    summary: 'Ends the session of the caller.',
    permission: 'signed_in',
    output: done,
    handle: async ({ actor }) => {
      const { userId, sessionId: sid } = actor
      if (userId === undefined || sid === undefined) throw new Problem('forbidden')
      await apiSessions.endOwn(actor, { userId, sid })
      return { data: null }
    },
  }),
]
